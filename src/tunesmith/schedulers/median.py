"""Median stopping (Golovin et al., "Google Vizier", 2017, section 3.2.1)."""

import math
from dataclasses import dataclass
from statistics import fmean, median

from tunesmith.errors import SpecError
from tunesmith.schedulers._scheduler import Curves, Scheduler


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
        means = [fmean(losses[:step]) for losses in finished if losses]
        if step < self.steps or len(finished) < self.trials or not means:
            return None
        bar = median(means)
        return bar if math.isfinite(bar) else None
