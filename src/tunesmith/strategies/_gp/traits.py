"""The cube of a space that tells candidates as numbers (spaces/_capabilities.py: Featured): traits beside the parameters.

Traits follow from the parameters, so they are worked out when a row is settled. All of one kind share a length of the kernel.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Featured
from tunesmith.spaces._distributions import Uniform, Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._gp.cube import Column, Cube, cube_of

# Random candidates that show how far apart traits are, and how far apart they are made: as two numbers in [0, 1] are.
LOOKS = 64
USUAL_DISTANCE = 0.4
ANYWHERE = Uniform(0.0, 1.0)


class TraitCube(Cube):
    """A cube with the traits of a space's candidates."""

    def __init__(self, space: Space, featured: Featured, seed: int) -> None:
        self.base, self.featured = cube_of(space, seed), featured
        rng = np.random.default_rng([seed, 1])
        blocks = featured.features([space.sample(rng) for _ in range(LOOKS)])
        self.factors = {kind: USUAL_DISTANCE / _usual_distance(block) for kind, block in blocks.items()}
        traits = [Column(f"{kind} {i}", ANYWHERE, trait=kind) for kind, block in blocks.items() for i in range(block.shape[1])]
        self.width = len(traits)
        super().__init__(space, [*map(self._marked, self.base.columns), *traits])

    def settle(self, units: np.ndarray) -> np.ndarray:
        settled = self.base.settle(units[:, : len(self.base.columns)])
        rng = np.random.default_rng(0)
        return self._with_traits(settled, [self.base.candidate(row, rng) for row in settled])

    def encode(self, candidates: Iterable[Candidate]) -> np.ndarray:
        listed = list(candidates)
        return self._with_traits(self.base.encode(listed), listed)

    def candidate(self, units: np.ndarray, rng: np.random.Generator) -> dict[str, Value]:
        return self.base.candidate(units[: len(self.base.columns)], rng)

    def _with_traits(self, units: np.ndarray, candidates: Sequence[Candidate]) -> np.ndarray:
        if not candidates:
            return np.zeros((0, len(self.columns)))
        rows = [self._traits(candidate) for candidate in candidates]
        return np.hstack([units, np.array(rows)])

    def _traits(self, candidate: Candidate) -> np.ndarray:
        """Return a candidate's traits; NaN of one that lacks parameters, as an earlier study's may."""
        try:
            blocks = self.featured.features([candidate])
        except SpecError:
            return np.full(self.width, np.nan)
        return np.concatenate([block[0] * self.factors[kind] for kind, block in blocks.items()])

    def _marked(self, column: Column) -> Column:
        return Column(column.name, column.distribution, column.parent, column.option, told=self.featured.featured(column.name))


def trait_cube_of(space: Space, seed: int) -> Cube:
    """Return the cube of a space, with its candidates' traits where the space tells them."""
    return TraitCube(space, space, seed) if isinstance(space, Featured) else cube_of(space, seed)


def _usual_distance(block: np.ndarray) -> float:
    """Return the median distance of pairs of rows, 1 where they do not differ."""
    squares = (block**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * block @ block.T, 0.0))
    return float(np.median(distances[np.triu_indices(len(block), 1)])) or 1.0
