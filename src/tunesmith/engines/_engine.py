"""The engine seam: runs a study's trials somewhere, listens to them, records what they say, and resumes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.evaluation._context import Evaluator
from tunesmith.record import Record
from tunesmith.schedulers._scheduler import Scheduler
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import EarlierStudy, State, StudyView, Trial


@dataclass(frozen=True)
class Limits:
    """What a search and its trials may use: trials in all, at a time, hours; bytes and seconds of one trial."""

    trials: int
    parallel: int = 1
    hours: float | None = None
    memory: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Search:
    """A search ready to run: what to try, how to judge it, how much of it, and where it is recorded.

    `first`: candidates to be tried before the strategy is asked. `others`: objectives beside the first. `earlier`: studies to
    learn from.
    """

    space: Space
    strategy: Strategy
    objective: Objective
    evaluator: Evaluator
    limits: Limits
    record: Record
    seed: int = 0
    scheduler: Scheduler | None = None
    first: tuple[Candidate, ...] = ()
    others: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    earlier: tuple[EarlierStudy, ...] = ()

    @property
    def aims(self) -> Aims:
        """The objectives and the constraints."""
        return Aims((self.objective, *self.others), self.constraints)

    def view(self, trials: Iterable[Trial], issued: int) -> StudyView:
        """Return what the strategy may know, given the trials so far and the next one's number."""
        return StudyView(
            *(self.space, self.objective, tuple(trials), issued, self.seed, self.first),
            others=self.others,
            constraints=self.constraints,
            budget=self.limits.trials,
            parallel=self.limits.parallel,
            earlier=self.earlier,
        )

    def describe_strategy(self, study: StudyView) -> None:
        """Keep in the record what the strategy does with this search and why."""
        self.record.describe_strategy(study.issued, self.strategy.describe(study))


class Progress:
    """Listens to a search; this one is silent."""

    def begin(self, search: Search, trials: list[Trial]) -> None:
        """Called once, with the trials that an earlier session left."""

    def step(self, trial: Trial) -> None:
        """Called when a trial reported a step."""

    def note(self, text: str) -> None:
        """Called with what the user should know, such as what the search waits for; the same text may come again."""

    def ended(self, trial: Trial) -> None:
        """Called when a trial has ended and is on disk."""

    def close(self) -> None:
        """Called once, however the search ends."""


class Engine(ABC):
    """A place where trials run."""

    @abstractmethod
    def run(self, search: Search, progress: Progress) -> None:
        """Run the search until its budget is spent or its space exhausted; what was recorded before counts.

        Raises KeyboardInterrupt where the user interrupts; running trials are then run again by the next call.
        """


def judged(trial: Trial, aims: Aims) -> Trial:
    """Return the ended trial; one that lacks a finite metric that the search asks for has failed, and its reason says why."""
    metrics = {name: float(value) for name, value in trial.metrics.items() if math.isfinite(value)}
    trial = replace(trial, metrics=metrics)
    missing = [name for name in aims.metrics if name not in metrics]
    if trial.state is not State.FINISHED or not missing:
        return trial
    what = "objective" if missing[0] in {objective.metric for objective in aims.objectives} else "constraint's metric"
    reported = ", ".join(sorted(metrics)) or "nothing"
    reason = f"the {what} {missing[0]!r} is missing or not finite; reported: {reported}"
    return replace(trial, state=State.FAILED, reason=reason)


def untried(space: Space, tried: set[str], most: int) -> int:
    """Return how many candidates a space has left beside those whose identities are `tried`, counted up to `most`."""
    left: set[str] = set()
    try:
        for candidate in space.enumerate():
            left |= {space.identity(candidate)} - tried
            if len(left) == most:
                break
    except ValueError:
        return most
    return len(left)
