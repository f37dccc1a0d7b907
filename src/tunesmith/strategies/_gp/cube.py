"""A space as the columns of a matrix, each in the unit interval by its parameter's prior.

Notation:
    units    n x d; units[i, j] in [0, 1] is what candidate i has for column j, NaN where the column is inactive
    settle   brings any matrix of numbers in [0, 1] onto the space: values that own probability mass move to the middle of
             theirs, columns that the other columns switch off become NaN
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from tunesmith.spaces._distributions import Choice, Distribution, Normal, Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces.parameters import Branches, Parameters

# A grid finer than this is a continuum to a model.
FINEST = 1000
# A prior without an end is searched up to where so much of it is left, 3.7 deviations: where floats end, values are hundreds of
# times what anybody means.
TAIL = 1e-4
# Samples that show which parameters a space has.
LOOKS = 64
LOOKS_AT_CODE = 4


@dataclass(frozen=True)
class Column:
    """One parameter, or one trait of a candidate.

    parent: the position of the column whose option number `option` switches it on, -1 if always on. trait: of which kind it is
    a trait, which follows from the parameters; '' for a parameter. told: a parameter of which traits tell.
    """

    name: str
    distribution: Distribution
    parent: int = -1
    option: int = -1
    trait: str = ""
    told: bool = False

    @cached_property
    def options(self) -> int:
        """How many options without an order a category has, 0 for a number."""
        if not isinstance(self.distribution, Choice) or _ordered(self.distribution.options):
            return 0
        return len(self.distribution.options)

    @property
    def grid(self) -> np.ndarray | None:
        """The unit values that there are, None for a continuum."""
        return _grid(self.distribution)

    def settle(self, units: np.ndarray) -> np.ndarray:
        """Move units to the middle of the mass of the value that each stands for, and away from a prior's endless tails."""
        if self.grid is None:
            return np.clip(units, TAIL, 1 - TAIL) if isinstance(self.distribution, Normal) else units
        return self.grid[np.searchsorted(_edges(self.distribution), units, side="right")]


@lru_cache(maxsize=4096)
def _grid(distribution: Distribution) -> np.ndarray | None:
    if distribution.size > FINEST:
        return None
    return distribution.cdf([distribution.value_at(position) for position in range(int(distribution.size))])


@lru_cache(maxsize=4096)
def _edges(distribution: Distribution) -> np.ndarray:
    """Return where the mass of one value of the grid ends and that of the next begins."""
    middles = _grid(distribution)
    assert middles is not None
    edges = [0.0]
    for middle in middles:
        edges.append(2 * float(middle) - edges[-1])
    return np.array(edges[1:-1])


def _ordered(options: tuple[Value, ...]) -> bool:
    """Tell whether options are numbers in ascending or descending order."""
    if not all(isinstance(option, int | float) and not isinstance(option, bool) for option in options):
        return False
    steps = np.diff(np.array(options, dtype=float))
    return bool((steps > 0).all() or (steps < 0).all())


class Cube(ABC):
    """The unit cube of a space."""

    def __init__(self, space: Space, columns: Iterable[Column]) -> None:
        self.space, self.columns = space, tuple(columns)

    @abstractmethod
    def settle(self, units: np.ndarray) -> np.ndarray:
        """Bring n x d numbers in [0, 1] onto the space."""

    def encode(self, candidates: Iterable[Candidate]) -> np.ndarray:
        """Return the units of candidates; what a candidate lacks, or has outside of its range, is NaN."""
        listed = list(candidates)
        units = np.full((len(listed), len(self.columns)), np.nan)
        for j, column in enumerate(self.columns):
            rows = [i for i, candidate in enumerate(listed) if column.name in candidate]
            rows = [i for i in rows if column.distribution.contains(listed[i][column.name])]
            if rows:
                units[rows, j] = column.distribution.cdf([listed[i][column.name] for i in rows])
        return units

    def candidate(self, units: np.ndarray, rng: np.random.Generator) -> dict[str, Value]:
        """Return the candidate of one settled row."""
        at = {(column.name, column.distribution): float(unit) for column, unit in zip(self.columns, units, strict=True)}

        def pick(name: str, distribution: Distribution) -> Value:
            unit = at.get((name, distribution), np.nan)
            return distribution.quantile(unit if np.isfinite(unit) else float(rng.random()))

        return self.space.choose(pick)


class TreeCube(Cube):
    """The cube of declared parameters, whose conditions are known."""

    def __init__(self, space: Parameters) -> None:
        columns: list[Column] = []
        _add_columns(space.parameters, -1, -1, columns)
        super().__init__(space, columns)

    def settle(self, units: np.ndarray) -> np.ndarray:
        settled = np.empty_like(units)
        for j, column in enumerate(self.columns):
            settled[:, j] = column.settle(units[:, j])
            if column.parent >= 0:
                parent = self.columns[column.parent].distribution
                opened = np.floor(settled[:, column.parent] * parent.size) == column.option
                settled[~opened, j] = np.nan
        return settled


def _add_columns(tree: Mapping[str, Distribution | Branches], parent: int, option: int, columns: list[Column]) -> None:
    for name, node in tree.items():
        if isinstance(node, Distribution):
            columns.append(Column(name, node, parent, option))
            continue
        at = len(columns)
        columns.append(Column(name, node.choice, parent, option))
        for position, inner in enumerate(node.inner.values()):
            _add_columns(inner, at, position, columns)


class TracedCube(Cube):
    """The cube of a space that is a program: its columns are those of a few samples, its conditions what it does."""

    def __init__(self, space: Space, seed: int) -> None:
        self.seed = seed
        found: dict[tuple[str, Distribution], None] = {}
        rng = np.random.default_rng([seed, 0])

        def pick(name: str, distribution: Distribution) -> Value:
            found[name, distribution] = None
            return distribution.quantile(float(rng.random()))

        for _ in range(LOOKS if space.quick else LOOKS_AT_CODE):
            space.choose(pick)
        super().__init__(space, [Column(name, distribution) for name, distribution in found])
        self.position = {key: position for position, key in enumerate(found)}

    def settle(self, units: np.ndarray) -> np.ndarray:
        middles = [column.settle(units[:, j]) for j, column in enumerate(self.columns)]
        return np.array([self._walked(row) for row in zip(*middles, strict=True)]).reshape(units.shape)

    def _walked(self, units: Sequence[float]) -> np.ndarray:
        """Return the units that the program asks for; of what no sample showed the middle."""
        asked = np.full(len(self.columns), np.nan)

        def pick(name: str, distribution: Distribution) -> Value:
            at = self.position.get((name, distribution))
            if at is None:
                return distribution.quantile(0.5)
            asked[at] = units[at]
            return distribution.quantile(float(units[at]))

        self.space.choose(pick)
        return asked


def cube_of(space: Space, seed: int) -> Cube:
    """Return the cube of a space."""
    return TreeCube(space) if isinstance(space, Parameters) else TracedCube(space, seed)
