"""The evaluator seam: turns a candidate into reported metrics."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.spaces._space import Candidate

# The file of a trial's folder in which an evaluator may leave the trained model.
CHECKPOINT = "model.keras"

Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Context:
    """What an evaluation is given besides its candidate.

    `report(step, metrics)` records metrics, to be called once an epoch or the like; it raises TrialStopped when the
    scheduler ends the trial. `folder` is the trial's own; what is written there stays. `memory_limit` is in bytes.
    `parent`: the folder of the trial that the candidate was edited from, with its `candidate.json`, and its checkpoint while
    that is kept. `facts` takes what is worth knowing of the trial besides its metrics (numbers only); it is recorded whatever
    happens.
    """

    number: int
    seed: int
    folder: Path
    report: Report
    memory_limit: int | None = None
    facts: dict[str, float] = field(default_factory=dict)
    parent: Path | None = None


class Evaluator(ABC):
    """Judges candidates. It is pickled once to every worker and called there; heavy imports belong into `evaluate`."""

    @abstractmethod
    def evaluate(self, candidate: Candidate, context: Context) -> dict[str, float]:
        """Return the final metrics; raises TrialFailed with a reason for a bad candidate, TrialStopped passes through."""

    def check_installed(self) -> None:
        """Raise SpecError where this machine lacks what an evaluation needs; called where trials run, before the first."""
        return

    def preload(self) -> list[str]:
        """Return the modules that workers should find imported."""
        return []
