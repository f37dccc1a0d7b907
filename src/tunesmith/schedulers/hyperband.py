"""Hyperband without waiting (Li et al., 2018; asynchronous as in ASHA, Li et al., 2020): successive halving in brackets.

Halving may stop a trial that learns slowly before it shows. So a trial's bracket says how early it is judged: in the first at
the first rung, in the last hardly ever. The brackets' shares of the trials are those of Hyperband, which spend equally much.
"""

import math
from dataclasses import dataclass

from tunesmith.schedulers._scheduler import Curves, Scheduler, longest
from tunesmith.schedulers.halving import bar_at, check_rungs, is_rung

GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Hyperband(Scheduler):
    """Stops as `halving` does, trials of a bracket among themselves, each bracket from a later rung on.

    steps: the first rung of the first bracket. factor: each rung is so many times the one before. Until a trial has run to its
    end, which tells how many brackets there are, all are in the first.
    """

    steps: int = 3
    factor: int = 3

    def __post_init__(self) -> None:
        check_rungs(self.steps, self.factor)

    def bar(self, number: int, step: int, others: Curves) -> float | None:
        last = longest(others)
        shares = self._shares(last)
        own = _bracket(number, shares)
        if not is_rung(step, self.steps * self.factor**own, self.factor) or step == last:
            return None
        rivals = {other: curve for other, curve in others.items() if _bracket(other, shares) == own}
        return bar_at(step, self.factor, rivals)

    def _shares(self, last: int) -> list[float]:
        """Return each bracket's share of the trials, the first bracket's first, where trials have `last` steps."""
        rungs = 1
        while self.steps * self.factor**rungs < last:
            rungs += 1
        counts = [self.factor**left / (left + 1) for left in range(rungs - 1, -1, -1)]
        return [count / sum(counts) for count in counts]


def _bracket(number: int, shares: list[float]) -> int:
    """Return a trial's bracket: by the golden ratio's multiples, which spread evenly whatever the shares."""
    place = number * GOLDEN % 1.0
    for bracket, share in enumerate(shares):
        place -= share
        if place < 0:
            return bracket
    return len(shares) - 1
