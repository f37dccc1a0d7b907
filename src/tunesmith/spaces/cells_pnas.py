"""The space of PNAS (Liu et al., 2018, section 3): one cell, which takes the place of a reduction cell with a stride of 2."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._cells.blocks import choose_cell, draw_stages, one_block_more
from tunesmith.spaces._cells.cell import Cell
from tunesmith.spaces._cells.network import CellNetwork
from tunesmith.spaces._cells.space import CellSpace
from tunesmith.spaces._distributions import Int, Value
from tunesmith.spaces._graph.graph import Draft
from tunesmith.spaces._space import Candidate, Chooser

OPERATIONS = (
    "separable_3x3",
    "separable_5x5",
    "separable_7x7",
    "conv_1x7_7x1",
    "identity",
    "average_3x3",
    "max_3x3",
    "dilated_3x3",
)
MOST_BLOCKS = 10
# How likely a random cell has all its blocks: smaller ones are steps on the way there, and few of them all.
FULL = 0.8


class Blocks(Int):
    """A whole number from low to high that is mostly the highest; the others are equally likely."""

    def _raw_quantile(self, unit: float) -> float:
        return super()._raw_quantile(float(np.interp(unit, (0, 1 - FULL, 1), (0, 1 - 1 / self.size, 1))))

    def _raw_cdf(self, values: np.ndarray) -> np.ndarray:
        return np.interp(super()._raw_cdf(values), (0, 1 - 1 / self.size, 1), (0, 1 - FULL, 1))


@dataclass(frozen=True)
class PNASCells(CellSpace):
    """A cell of `least_blocks` to `blocks` blocks, whose two results are added; it grows block by block.

    Four of five random cells have all blocks. With `least_blocks` equal to `blocks` cells have one size, and do not grow.
    """

    blocks: int = 5
    least_blocks: int = 1
    operations: ClassVar[tuple[str, ...]] = OPERATIONS

    def _check(self) -> None:
        if not 1 <= self.blocks <= MOST_BLOCKS:
            raise SpecError(f"blocks: got {self.blocks}; needs a whole number from 1 to {MOST_BLOCKS}")
        if not 1 <= self.least_blocks <= self.blocks:
            raise SpecError(f"least_blocks: got {self.least_blocks}; needs a whole number from 1 to blocks, {self.blocks}")

    def define_cells(self, choose: Chooser) -> dict[str, Cell]:
        blocks = self.blocks if self.least_blocks == self.blocks else choose("blocks", Blocks(self.least_blocks, self.blocks))
        return {"normal": choose_cell(choose, "", int(blocks), OPERATIONS, ("add",))}

    def draw(self, draft: Draft, network: CellNetwork) -> int:
        return draw_stages(draft, network, "cifar")

    def smallest(self) -> Iterator[dict[str, Value]]:
        """Yield the cells of one block, 136 of them, each as a candidate."""
        yield from self._grown({}, 0)

    def expand(self, candidate: Candidate) -> Iterator[dict[str, Value]]:
        """Yield the candidates of one block more."""
        blocks = self.size_of(candidate)
        if blocks < self.blocks:
            yield from self._grown(candidate, blocks)

    def size_of(self, candidate: Candidate) -> int:
        """Return how many blocks a candidate's cell has."""
        return int(candidate.get("blocks", self.blocks))  # pyright: ignore[reportArgumentType]

    def _grown(self, candidate: Candidate, blocks: int) -> Iterator[dict[str, Value]]:
        rest = self.usual_training()
        for block in one_block_more("", blocks + 1, OPERATIONS):
            yield {**rest, **candidate, "blocks": blocks + 1, **block}
