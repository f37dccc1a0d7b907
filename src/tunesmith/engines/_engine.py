"""The engine seam: runs a study's trials somewhere, listens to them, records what they say, and resumes."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from tunesmith.evaluation._context import Evaluator
from tunesmith.record import Record
from tunesmith.schedulers._scheduler import Scheduler
from tunesmith.spaces._space import Candidate, Space, canonical
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import Objective, State, Trial


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

    `first`: candidates to be tried before the strategy is asked.
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


def judged(trial: Trial, objective: Objective) -> Trial:
    """Return the ended trial; without a finite objective it has failed, and its reason says why."""
    metrics = {name: float(value) for name, value in trial.metrics.items() if math.isfinite(value)}
    trial = replace(trial, metrics=metrics)
    if trial.state is not State.FINISHED or objective.metric in metrics:
        return trial
    reported = ", ".join(sorted(metrics)) or "nothing"
    reason = f"the objective {objective.metric!r} is missing or not finite; reported: {reported}"
    return replace(trial, state=State.FAILED, reason=reason)


def untried(space: Space, tried: set[str], most: int) -> int:
    """Return how many candidates a space has left beside those of the keys `tried`, counted up to `most`."""
    count = 0
    try:
        for candidate in space.enumerate():
            count += canonical(candidate) not in tried
            if count == most:
                break
    except ValueError:
        return most
    return count
