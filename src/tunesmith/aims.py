"""What a search is after: objectives to be made small or large, constraints to be kept."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tunesmith.errors import SpecError

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
CONSTRAINT = re.compile(rf"\s*(?P<metric>\S+?)\s*(?P<relation><=|>=)\s*(?P<bound>{NUMBER})\s*")


@dataclass(frozen=True)
class Objective:
    """A metric to be made as small or as large as possible."""

    metric: str
    goal: Literal["minimize", "maximize"] = "minimize"

    def loss(self, value: float) -> float:
        """Return the value turned so that smaller is better."""
        return value if self.goal == "minimize" else -value


@dataclass(frozen=True)
class Constraint:
    """A bound on a reported metric: `latency_ms <= 5`."""

    metric: str
    relation: Literal["<=", ">="]
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        """Read a metric, `<=` or `>=`, and a number; raises SpecError."""
        found = CONSTRAINT.fullmatch(text)
        if not found or not math.isfinite(float(found["bound"])):
            raise SpecError(f"got {text!r}; needs a metric, <= or >=, and a number, such as 'latency_ms <= 5'")
        return cls(found["metric"], "<=" if found["relation"] == "<=" else ">=", float(found["bound"]))

    def __str__(self) -> str:
        """Return the text that `parse` reads, the same for equal constraints."""
        return f"{self.metric} {self.relation} {self.bound:.15g}"

    def excess(self, metrics: Mapping[str, float]) -> float:
        """Return how far beyond the bound the metric is, below 0 within it, NaN where it was not reported."""
        value = metrics.get(self.metric, math.nan)
        excess = value - self.bound if self.relation == "<=" else self.bound - value
        return excess if math.isfinite(excess) else math.nan

    def violation(self, metrics: Mapping[str, float]) -> float:
        """Return by how much the bound is missed, 0 where it is kept, NaN where the metric was not reported."""
        excess = self.excess(metrics)
        return max(excess, 0.0) if math.isfinite(excess) else math.nan


@dataclass(frozen=True)
class Aims:
    """What a search is after: its objectives, the first one leading, within its constraints."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that every trial has to report, each named once, the first objective's first."""
        return tuple(dict.fromkeys(aim.metric for aim in (*self.objectives, *self.constraints)))

    def losses(self, metrics: Mapping[str, float]) -> tuple[float, ...]:
        """Return every objective's loss; infinite for one that was not reported, or is not finite."""
        values = ((objective, metrics.get(objective.metric, math.nan)) for objective in self.objectives)
        return tuple(objective.loss(value) if math.isfinite(value) else math.inf for objective, value in values)

    def violation(self, metrics: Mapping[str, float]) -> float:
        """Return by what shares of their bounds the constraints are missed in all; infinite where one cannot be told."""
        missed = ((bound.violation(metrics), abs(bound.bound) or 1.0) for bound in self.constraints)
        total = sum(beyond / unit for beyond, unit in missed)
        return math.inf if math.isnan(total) else total

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Aims":
        """Return the aims of a study's recorded content, in which every default is written out."""
        objectives = (Objective(entry["metric"], entry["goal"]) for entry in content["objectives"])
        return cls(tuple(objectives), read_constraints(content.get("constraints") or ()))

    def to_json(self) -> dict[str, Any]:
        """Return the keys of the search file that ask for this."""
        constraints = {"constraints": [str(constraint) for constraint in self.constraints]} if self.constraints else {}
        return {"objectives": [asdict(objective) for objective in self.objectives], **constraints}


def read_constraints(texts: Iterable[str]) -> tuple[Constraint, ...]:
    """Read constraints; raises SpecError naming the one that is none."""
    constraints = []
    for position, text in enumerate(texts):
        try:
            constraints.append(Constraint.parse(text))
        except SpecError as error:
            raise SpecError(f"constraints.{position}: {error}") from None
    return tuple(constraints)
