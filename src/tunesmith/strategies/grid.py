"""Grid search: every combination of the parameters' values once, in random order.

A random order makes a search that ends early one of random points of the grid, instead of a corner of it. Nothing is listed
beforehand: points are drawn, and only where draws keep hitting what was tried the grid is walked to the first untried one.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Parametric
from tunesmith.spaces._distributions import Choice, Distribution
from tunesmith.spaces._space import Candidate, Chooser, Space
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.study import Proposal, StudyView


@dataclass(frozen=True)
class Grid(Strategy):
    """Tries every point of a grid once; the search ends when there is none left.

    points: values of a continuous parameter, at the middles of equal shares of its prior.
    """

    needs: ClassVar[tuple[type, ...]] = (Parametric,)

    points: int = 5

    def __post_init__(self) -> None:
        if self.points < 1:
            raise SpecError(f"points: got {self.points}; needs a whole number from 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        grid = self.reach(study.space)
        return one_by_one(study, count, lambda _, rng: grid.sample(rng), grid)

    def reach(self, space: Space) -> Space:
        return _OnGrid(space, self.points)


@dataclass(frozen=True)
class _OnGrid(Space):
    """The points of a space at which every continuous parameter has one of `points` values."""

    space: Space
    points: int

    def define(self, choose: Chooser) -> Any:
        return self.space.define(Chooser(lambda name, distribution: choose(name, _finite(distribution, self.points))))

    def identity(self, candidate: Candidate) -> str:
        return self.space.identity(candidate)

    def to_json(self) -> dict[str, Any]:
        return self.space.to_json()


@lru_cache(maxsize=1024)
def _finite(distribution: Distribution, points: int) -> Distribution:
    if distribution.size < float("inf"):
        return distribution
    return Choice(tuple(dict.fromkeys(distribution.quantile((i + 0.5) / points) for i in range(points))))
