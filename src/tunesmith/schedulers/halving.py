"""Successive halving without waiting: ASHA (Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020).

At the rungs, steps that grow by a factor, a trial goes on only where it is among the best share of all that came so far.
"""

import math
from dataclasses import dataclass

from tunesmith.errors import SpecError
from tunesmith.schedulers._scheduler import Curves, Scheduler, longest


@dataclass(frozen=True)
class Halving(Scheduler):
    """Stops a trial that is not among the best 1/factor of the trials that have reached its rung.

    steps: the first rung, so many steps every trial may run. factor: each rung is so many times the one before.
    """

    steps: int = 3
    factor: int = 3

    def __post_init__(self) -> None:
        check_rungs(self.steps, self.factor)

    def bar(self, number: int, step: int, others: Curves) -> float | None:
        # Whoever is at the last step has ended.
        if not is_rung(step, self.steps, self.factor) or step == longest(others):
            return None
        return bar_at(step, self.factor, others)


def check_rungs(steps: int, factor: int) -> None:
    """Raise SpecError where settings make no rungs."""
    if steps < 1:
        raise SpecError(f"steps: got {steps}; needs a whole number from 1")
    if factor < 2:
        raise SpecError(f"factor: got {factor}; needs a whole number from 2")


def is_rung(step: int, first: int, factor: int) -> bool:
    """Tell whether a step is `first` times a power of the factor."""
    while step > first and step % factor == 0:
        step //= factor
    return step == first


def bar_at(step: int, factor: int, others: Curves) -> float | None:
    """Return the loss that the best share of all trials at this rung, the asking one included, keeps below."""
    reached = sorted(other.best(step) for other in others.values() if len(other.losses) >= step)
    bar = reached[max((len(reached) + 1) // factor, 1) - 1] if reached else math.inf
    return bar if math.isfinite(bar) else None
