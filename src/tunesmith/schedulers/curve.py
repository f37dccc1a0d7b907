"""Learning-curve based stopping: a trial ends when it is unlikely ever to beat the best (the criterion of Domhan et al., 2015).

By gains: what a trial still gains after a step is taken as normal, its mean and variance unknown. Those trials that ran to
their end tell them: with the usual uninformed prior the next trial's gain follows Student's t. Unlike a fit of the trial's own
curve alone, this knows late risers and plateaus of the kind at hand, and it is a bar that can be told beforehand.

By families: the trial's own curve so far is extrapolated, as there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from tunesmith.errors import SpecError
from tunesmith.schedulers._families import forecast
from tunesmith.schedulers._scheduler import Curve, Curves, Scheduler, longest

# Of the losses' size; sums of equal losses differ in their last digits.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Extrapolation(Scheduler):
    """Stops a trial whose chance to beat the best finished one is too small.

    by: what the chance is judged by: what finished trials still gained, or families of curves fitted to the trial's own.
    chance: the least chance that a trial goes on with. trials: finished trials before anything is stopped. steps: steps that
    every trial may run.
    """

    by: Literal["gains", "families"] = "gains"
    chance: float = 0.05
    trials: int = 3
    steps: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.chance < 0.5:
            raise SpecError(f"chance: got {self.chance}; needs a number above 0 and below 0.5")
        for name, least in (("trials", 2), ("steps", 1)):
            if getattr(self, name) < least:
                raise SpecError(f"{name}: got {getattr(self, name)}; needs a whole number from {least}")

    @property
    def watches(self) -> str:
        return "by: 'families' judges a trial by its own curve as it goes" if self.by == "families" else ""

    def verdict(self, number: int, losses: Sequence[float], others: Curves) -> str:
        return super().verdict(number, losses, others) if self.by == "gains" else self._outlook(losses, others)

    def bar(self, number: int, step: int, others: Curves) -> float | None:
        if self.by == "families":
            return None
        ended = [curve for curve in others.values() if curve.finished and len(curve.losses) >= step]
        if step < self.steps or step >= longest(others):
            return None
        gains, best = _gains(ended, step)
        if len(gains) < self.trials:
            return None
        bar = best + self._largest(gains)
        return bar + ROUNDING * abs(best) if math.isfinite(bar) else None

    def _outlook(self, losses: Sequence[float], others: Curves) -> str:
        """Return why a trial should stop that its own curve, extrapolated, gives too small a chance."""
        step, steps, own = len(losses), longest(others), Curve(losses)
        ends = [end for curve in others.values() if curve.finished and math.isfinite(end := curve.best(len(curve.losses)))]
        if len(ends) < self.trials or not self.steps <= step < steps:
            return ""
        best = min(ends)
        if own.best(step) <= best + ROUNDING * abs(best):
            return ""
        # A trial is worth its best loss: that is foretold, from the best at each of its steps.
        outlook = forecast([own.best(at) for at in range(1, step + 1)], steps)
        chance = outlook.chance(best) if outlook else 1.0
        if outlook is None or chance >= self.chance:
            return ""
        told = f"{outlook.mean:.4g} expected after {steps}, the chance to beat {best:.4g} is {chance:.2g}"
        return f"best loss {own.best(step):.4g} after {step} steps, {told}"

    def _largest(self, gains: Sequence[float]) -> float:
        """Return what a further gain exceeds with probability `chance`."""
        with np.errstate(over="ignore", invalid="ignore"):
            spread = np.std(gains, ddof=1) * math.sqrt(1 + 1 / len(gains))
            return float(np.mean(gains) + stdtrit(len(gains) - 1, 1 - self.chance) * spread)


def _gains(ended: Sequence[Curve], step: int) -> tuple[list[float], float]:
    """Return what trials gained after a step, and the best loss they came to."""
    pairs = [(curve.best(step), curve.best(len(curve.losses))) for curve in ended]
    known = [(early, late) for early, late in pairs if math.isfinite(early) and math.isfinite(late)]
    # In the order of their size: sums must not depend on the order in which trials are told.
    return sorted(early - late for early, late in known), min((late for _, late in known), default=math.inf)
