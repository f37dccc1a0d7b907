"""Judges a candidate by any Python function of the user's."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import TrialFailed
from tunesmith.evaluation._context import Context, Evaluator
from tunesmith.spaces._space import Candidate


@dataclass(frozen=True)
class FunctionEvaluator(Evaluator):
    """Calls `function(candidate)`, or `function(candidate, context)` where it takes two arguments.

    It returns a number, which is `metric`; or a dictionary of metrics with `metric` among them, which may also hold
    `status` (`ok` or `fail`) and `reason`. With `bare`, the function gets the value of that one parameter.
    """

    function: Callable[..., Any]
    metric: str = "loss"
    bare: str | None = None

    def evaluate(self, candidate: Candidate, context: Context) -> dict[str, float]:
        """Return the function's metrics; raises TrialFailed where it says so or its answer is unusable. Its errors pass."""
        given = dict(candidate) if self.bare is None else candidate[self.bare]
        answer = self.function(given, context) if _takes_context(self.function) else self.function(given)
        metrics = self._metrics(answer)
        if self.metric not in metrics:
            known = ", ".join(sorted(metrics)) or "none"
            raise TrialFailed(f"the function returned no metric {self.metric!r}; it returned: {known}")
        if not math.isfinite(metrics[self.metric]):
            raise TrialFailed(f"{self.metric} is {metrics[self.metric]}")
        return {name: value for name, value in metrics.items() if math.isfinite(value)}

    def _metrics(self, answer: Any) -> dict[str, float]:
        if not isinstance(answer, Mapping):
            return {self.metric: _number(answer, "the function")}
        status = answer.get("status", "ok")
        if status == "fail":
            raise TrialFailed(str(answer.get("reason") or "the function returned status 'fail'"))
        if status != "ok":
            raise TrialFailed(f"the function returned status {status!r}; allowed: 'ok', 'fail'")
        metrics = {name: value for name, value in answer.items() if name not in ("status", "reason")}
        return {str(name): _number(value, f"the function for {name!r}") for name, value in metrics.items()}


def _number(value: Any, what: str) -> float:
    """Return a Python, NumPy or TensorFlow number as a float; raises TrialFailed for all else."""
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise TrialFailed(f"{what} returned {value!r}; needs a number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TrialFailed(f"{what} returned {type(value).__name__} of several numbers; needs one") from None


def _takes_context(function: Callable[..., Any]) -> bool:
    """Tell whether a function needs a second argument, or calls it `context`."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False  # some functions written in C tell nothing
    places = [item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    return len(places) > 1 and (places[1].default is inspect.Parameter.empty or places[1].name == "context")
