"""Decides between the model in use and the one that wants its place, by their figures on the same test examples."""

from dataclasses import dataclass

from tunesmith.errors import SpecError
from tunesmith.evaluate import Evaluation
from tunesmith.registry import did_you_mean

AUTO = "auto"
BY_TASK = {"classification": "accuracy", "regression": "r2"}
ALLOWED = {"classification": ("accuracy", "macro_f1", "log_loss", "roc_auc"), "regression": ("r2", "rmse", "mae")}
LOWER_IS_BETTER = ("log_loss", "rmse", "mae")


@dataclass(frozen=True)
class Decision:
    """Whether the challenger takes the champion's place, and why; `champion` is None where there was none to compare with."""

    promote: bool
    reason: str
    metric: str
    challenger: float
    champion: float | None


def check_comparison(metric: str, margin: float) -> None:
    """Raise SpecError for a metric or margin by which no two models can be compared."""
    allowed = [AUTO, *(name for names in ALLOWED.values() for name in names)]
    if metric not in allowed:
        raise SpecError(f"compare_by: {metric!r} is unknown; allowed: {', '.join(allowed)}{did_you_mean(metric, allowed)}")
    if not 0 <= margin < float("inf"):
        raise SpecError(f"margin: got {margin!r}; needs a number from 0, in the metric's units, such as 0.005")


def decide(challenger: Evaluation, champion: Evaluation | None, metric: str = AUTO, margin: float = 0.0) -> Decision:
    """Compare two models judged on the same test examples; the challenger wins where it is better by more than `margin`.

    Raises SpecError for a metric that the task or these examples have no figure for.
    """
    check_comparison(metric, margin)
    name = BY_TASK[challenger.task] if metric == AUTO else metric
    new = _figure(challenger, name)
    if champion is None:
        return Decision(True, f"there is no model in use yet; {name} {new:.4f}", name, new, None)
    if (champion.fingerprint, champion.examples) != (challenger.fingerprint, challenger.examples):
        raise SpecError("the two models were judged on different test examples; judge both on the same data set")
    old = _figure(champion, name)
    gain = old - new if name in LOWER_IS_BETTER else new - old
    better = gain > margin
    needed = f" (needs more than {margin:g})" if margin else ""
    how = "better" if gain > 0 else "worse" if gain < 0 else "different"
    by = f"{abs(gain):.4f} {how}{needed}" if gain else f"no better{needed}"
    return Decision(better, f"{name} {new:.4f}, the model in use has {old:.4f}: {by}", name, new, old)


def _figure(evaluation: Evaluation, name: str) -> float:
    value = evaluation.figures.metrics.get(name)
    if value is None:
        have = ", ".join(evaluation.figures.metrics)
        raise SpecError(f"compare_by: these test examples give a {evaluation.task} no figure {name!r}; they give: {have}")
    return value
