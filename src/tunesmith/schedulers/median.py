"""Median stopping (Golovin et al., "Google Vizier", 2017, section 3.2.1)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tunesmith.errors import SpecError
from tunesmith.schedulers._scheduler import Curves, Scheduler

# Sums of larger losses overflow.
LARGEST = 1e300


@dataclass(frozen=True)
class Median(Scheduler):
    """Stops a trial whose best loss so far is worse than the median of the finished trials' average losses up to that step.

    trials: finished trials before anything is stopped. steps: steps that every trial may run.
    """

    trials: int = 5
    steps: int = 3

    def __post_init__(self) -> None:
        for name in ("trials", "steps"):
            if getattr(self, name) < 1:
                raise SpecError(f"{name}: got {getattr(self, name)}; needs a whole number from 1")

    def bar(self, number: int, step: int, others: Curves) -> float | None:
        finished = [other.losses for other in others.values() if other.finished]
        averages = [_average(losses[:step]) for losses in finished if losses]
        if step < self.steps or len(finished) < self.trials or not averages:
            return None
        bar = median(averages)
        return bar if math.isfinite(bar) else None


def _average(losses: Sequence[float]) -> float:
    """Return the mean of those losses that are numbers, infinity where none is: NaN has no place in an order."""
    known = [loss for loss in losses if abs(loss) <= LARGEST]
    # Held to the least, rounding puts no trial below its equals.
    return max(fmean(known), min(known)) if known else math.inf
