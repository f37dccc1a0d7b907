"""The steps that compare a new model with the one in use, and put it in its place."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunesmith.champions import Champions
from tunesmith.comparison import Decision, decide
from tunesmith.errors import DataError, GateFailed, RegistryError
from tunesmith.evaluate import Evaluation, evaluate
from tunesmith.files import write_json, write_text
from tunesmith.pipeline_run.local_step import step, step_console, tell_figures

# In a champion's folder: its promotion; beside it the folders model and study, where there is a champion.
PROMOTION = "champion.json"


@step
def champion_step(registry_uri: str, champion: Path) -> dict[str, Any]:
    """Copy the model in use and its study into the folder `champion`; returns its promotion, with version '' for none."""
    registry = Champions(registry_uri)
    promotion = registry.champion()
    champion.mkdir(parents=True, exist_ok=True)
    if promotion:
        registry.fetch(promotion.version, champion)
    described = promotion.to_json() if promotion else {"version": "", "number": 0}
    write_json(champion / PROMOTION, described)
    step_console().print(f"the model in use: {described['version'] or 'none yet'}", highlight=False)
    return {name: described[name] for name in ("version", "number")}


@step
def compare_step(
    evaluation: Path, champion: Path, dataset: Path, comparison: Path, verdict: Path, asked: Mapping[str, Any]
) -> Decision:
    """Judge the model in use on the new model's test examples, and decide between them.

    asked: `compare_by`, `margin` and `replace_unfit_champion`. Writes the folder `comparison` and the Markdown file `verdict`.
    Raises RegistryError where the model in use cannot judge the data, unless asked to replace it then.
    """
    challenger = Evaluation.load(evaluation)
    judged, unfit = None, ""
    if (champion / "model").is_dir():
        try:
            judged = evaluate(champion / "model", dataset, comparison)
        except (DataError, GateFailed) as error:
            unfit = f"the model in use cannot judge these data: {error}"
            if not asked["replace_unfit_champion"]:
                raise RegistryError(f"{unfit}; set replace_unfit_champion to put the new model in its place") from None
    decision = decide(challenger, judged, asked["compare_by"], asked["margin"])
    if unfit:
        decision = Decision(True, unfit, decision.metric, decision.challenger, None)
    comparison.mkdir(parents=True, exist_ok=True)
    write_json(comparison / "decision.json", asdict(decision))
    write_text(verdict, _table(decision, challenger, judged))
    step_console().print(f"{'promote' if decision.promote else 'keep'}: {decision.reason}", highlight=False)
    tell_figures("compare-models", figures_of(decision))
    return decision


@step
def promote_step(registry_uri: str, parts: Mapping[str, Path], champion_version: str, comparison: Path) -> dict[str, Any]:
    """Put a model to use, where the model in use is still `champion_version`; returns its promotion.

    parts: the folders model, study, evaluation and exports. comparison: what compare_step left.
    """
    evaluation = Evaluation.load(parts["evaluation"])
    reason = _reason(comparison)
    promotion = Champions(registry_uri).promote(parts, evaluation.figures.metrics, champion_version, reason)
    step_console().print(f"promoted {promotion.version} (number {promotion.number}): {reason}", highlight=False)
    tell_figures("promote-model", {"promoted": promotion.version, "number": promotion.number})
    return {name: getattr(promotion, name) for name in ("version", "number", "previous", "reason")}


def figures_of(decision: Decision) -> dict[str, float]:
    """Return a decision as figures."""
    figures = {"promote": float(decision.promote), f"challenger_{decision.metric}": decision.challenger}
    return figures | ({f"champion_{decision.metric}": decision.champion} if decision.champion is not None else {})


def _reason(comparison: Path) -> str:
    return str(json.loads((comparison / "decision.json").read_text(encoding="utf-8"))["reason"])


def _table(decision: Decision, challenger: Evaluation, champion: Evaluation | None) -> str:
    """Return the comparison in Markdown."""
    headline = "The new model takes the place of the one in use" if decision.promote else "The model in use stays"
    lines = [f"**{headline}**: {decision.reason}", "", "| figure | new model | model in use |", "| --- | --- | --- |"]
    others = champion.figures.metrics if champion else {}
    for name, new in challenger.figures.metrics.items():
        lines.append(f"| {name} | {new:.4g} | {f'{others[name]:.4g}' if name in others else ''} |")
    if champion:
        lines += ["", f"Both were judged on the same {challenger.examples} test examples."]
    return "\n".join([*lines, ""])
