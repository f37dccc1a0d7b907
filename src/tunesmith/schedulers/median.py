"""Median stopping (Golovin et al., "Google Vizier", 2017, section 3.2.1)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tunesmith.errors import SpecError
from tunesmith.schedulers._scheduler import Scheduler, StopRule


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

    def verdict(self, losses: Sequence[float], others: Mapping[int, Sequence[float]]) -> str:
        step = len(losses)
        bar = self._bar(step, others)
        if bar is None:
            return ""
        best = min(losses)
        return f"best loss {best:.4g} after {step} steps, the median is {bar:.4g}" if best > bar else ""

    def rule(self, others: Mapping[int, Sequence[float]], steps: int) -> StopRule:
        bars = [self._bar(step, others) for step in range(1, steps + 1)]
        return StopRule(tuple(bars) if any(bar is not None for bar in bars) else ())

    def _bar(self, step: int, others: Mapping[int, Sequence[float]]) -> float | None:
        """Return the loss that the best so far must not exceed after `step` steps, None where there is none."""
        means = [fmean(other[:step]) for other in others.values() if other]
        if step < self.steps or len(others) < self.trials or not means:
            return None
        bar = median(means)
        return bar if math.isfinite(bar) else None
