"""What a CI job wants to know of a run: did it do what was asked, with which figures, and where to look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.errors import SpecError
from tunesmith.kfp_client.connection import Backend
from tunesmith.kfp_client.logs import read_failure, read_figures
from tunesmith.kfp_client.runs import SUCCEEDED, Run

GATE, PROMOTION = "gate", "promotion"
PROMOTE_STEP = "promote-model"
GATES = ("min_test_accuracy", "min_test_r2")
Gate = Literal["off", "passed", "not passed"]


@dataclass(frozen=True)
class Verdict:
    """What became of a run.

    `reasons` are why it is not what was asked for; without any it is. `promoted` is None for a run that never promotes.
    """

    run: Run
    reasons: tuple[str, ...]
    gate: Gate
    promoted: bool | None
    figures: Mapping[str, Mapping[str, Any]]

    @property
    def passed(self) -> bool:
        """Tell whether the run is what was asked for."""
        return not self.reasons

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **{"passed": self.passed, "reasons": list(self.reasons)},
            **{"run_id": self.run.run_id, "name": self.run.name, "state": self.run.state, "link": self.run.link},
            **{"seconds": round(self.run.seconds), "gate": self.gate, "promoted": self.promoted},
            "figures": {step: dict(figures) for step, figures in self.figures.items()},
            "steps": {step.name: step.state for step in self.run.steps},
        }

    def markdown(self) -> str:
        """Return the summary that CI systems show on a job's page."""
        run = self.run
        lines = [f"### {'✅' if self.passed else '❌'} {run.name}: {run.state.lower()}", ""]
        lines += [f"- {_cell(reason)}" for reason in self.reasons]
        promoted = {None: "", True: ", the new model was **promoted**", False: ", the model in use stays"}[self.promoted]
        lines += [f"- gate: {self.gate}{promoted}", f"- [the run]({run.link}), {run.seconds:.0f} s", ""]
        rows = [(step, name, value) for step, figures in self.figures.items() for name, value in figures.items()]
        if rows:
            lines += ["| step | figure | value |", "| --- | --- | --- |"]
            lines += [f"| {step} | {_cell(name)} | {_cell(_number(value))} |" for step, name, value in rows]
        else:
            lines.append("No figures: the steps' logs are gone, or their results came from the cache.")
        return "\n".join([*lines, ""])


def judge(backend: Backend, run: Run, required: Sequence[str]) -> Verdict:
    """Return the verdict on a run; `required`: gate and promotion, where they are asked for. Raises SpecError for others."""
    for name in required:
        if name not in (GATE, PROMOTION):
            raise SpecError(f"require: {name!r} is unknown; allowed: {GATE}, {PROMOTION}")
    reasons = []
    if not run.over:
        reasons.append(f"the run is still {run.state.lower()} after {run.seconds:.0f} s; it goes on")
    elif run.state != SUCCEEDED:
        reasons.append(read_failure(backend, run) or f"the run is {run.state.lower()}")
    gate, promoted = _gate(run), _promoted(run)
    if GATE in required and gate == "off":
        reasons.append(f"the run has no gate; set {' or '.join(GATES)}")
    if PROMOTION in required and promoted is not True and run.state == SUCCEEDED:
        reasons.append("the new model was not promoted")
    return Verdict(run, tuple(reasons), gate, promoted, read_figures(backend, run))


def _gate(run: Run) -> Gate:
    """Tell what became of the limits that a model must keep: a run that misses one fails."""
    if not any(run.arguments.get(name) for name in GATES):
        return "off"
    return "passed" if run.state == SUCCEEDED else "not passed"


def _promoted(run: Run) -> bool | None:
    if "registry_uri" not in run.arguments:
        return None
    step = run.step(PROMOTE_STEP)
    return step is not None and step.state == SUCCEEDED


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
