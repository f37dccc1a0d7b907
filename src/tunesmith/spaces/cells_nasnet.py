"""NASNet's space (Zoph et al., 2018): a normal cell and a reduction cell, each of blocks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._cells.blocks import INPUTS, STEM_HALVINGS, choose_cell, draw_stages
from tunesmith.spaces._cells.cell import Cell
from tunesmith.spaces._cells.network import CellNetwork, check_stages
from tunesmith.spaces._cells.space import CellSpace
from tunesmith.spaces._graph.graph import Draft
from tunesmith.spaces._space import Chooser

OPERATIONS = (
    "identity",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dilated_3x3",
    "average_3x3",
    "max_3x3",
    "max_5x5",
    "max_7x7",
    "conv_1x1",
    "conv_3x3",
    "separable_3x3",
    "separable_5x5",
    "separable_7x7",
)
CELLS = ("normal", "reduction")
MOST_BLOCKS = 10


@dataclass(frozen=True)
class NASNet(CellSpace):
    """Two cells of `blocks` blocks; the results of a block's two operations are added or concatenated, itself a choice.

    `stem`: before the stages a convolution (`cifar`), or a convolution and two reduction cells that halve the image three times
    (`imagenet`). `kept`: for each cell the states that its output holds beside those that no block reads, which NASNet's own
    code has, though its paper has not.
    """

    blocks: int = 5
    stem: Literal["cifar", "imagenet"] = "cifar"
    kept: Mapping[str, Any] | None = None
    operations: ClassVar[tuple[str, ...]] = OPERATIONS

    def _check(self) -> None:
        if not 1 <= self.blocks <= MOST_BLOCKS:
            raise SpecError(f"blocks: got {self.blocks}; needs a whole number from 1 to {MOST_BLOCKS}")
        for name, states in (self.kept or {}).items():
            if name not in CELLS:
                raise SpecError(f"kept.{name}: is no cell; allowed: {', '.join(CELLS)}")
            # What a reduction cell reads is larger than what it makes, so it cannot be part of its output.
            allowed = list(range(INPUTS if name == "reduction" else 0, self.blocks + INPUTS))
            if not isinstance(states, list | tuple) or not all(type(state) is int and state in allowed for state in states):
                raise SpecError(f"kept.{name}: got {states!r}; needs a list of states from {allowed[0]} to {allowed[-1]}")

    def fit_to(self, data: DatasetInfo) -> "NASNet":
        fitted = super().fit_to(data)
        assert isinstance(fitted, NASNet)
        if self.stem == "imagenet":
            check_stages(self.stages, data.input_shape, before=STEM_HALVINGS)
        return fitted

    def define_cells(self, choose: Chooser) -> dict[str, Cell]:
        return {name: self._kept(name, choose) for name in CELLS}

    def _kept(self, name: str, choose: Chooser) -> Cell:
        cell = choose_cell(choose, f"{name}.", self.blocks, OPERATIONS, ("add", "concatenate"))
        more = (self.kept or {}).get(name, ())
        return replace(cell, outputs=tuple(sorted({*cell.outputs, *more})))

    def draw(self, draft: Draft, network: CellNetwork) -> int:
        return draw_stages(draft, network, self.stem)
