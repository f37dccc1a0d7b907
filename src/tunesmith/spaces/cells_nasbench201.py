"""The cells of NAS-Bench-201 (Dong & Yang, 2020): four nodes, an operation on each of the six edges between them."""

from dataclasses import dataclass
from typing import ClassVar

from tunesmith.spaces._cells.cell import Cell, Edge, State
from tunesmith.spaces._cells.network import CellNetwork, draw_cell
from tunesmith.spaces._cells.operations import NONE, convolved
from tunesmith.spaces._cells.space import CellSpace
from tunesmith.spaces._distributions import Choice
from tunesmith.spaces._graph.graph import Draft
from tunesmith.spaces._graph.layers import Activation, Conv, Normalization
from tunesmith.spaces._graph.shaping import Add, Pool
from tunesmith.spaces._space import Chooser

OPERATIONS = (NONE, "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NODES = 4
EDGES = tuple(f"{node}<-{source}" for node in range(1, NODES) for source in range(node))
SKIP = "skip_connect"
OPERATION = Choice(OPERATIONS)
ZERO = "#"


@dataclass(frozen=True)
class NASBench201(CellSpace):
    """15,625 cells, 6,466 of them different; a residual block halves the image from stage to stage."""

    operations: ClassVar[tuple[str, ...]] = OPERATIONS

    def define_cells(self, choose: Chooser) -> dict[str, Cell]:
        states = tuple(
            State(tuple(Edge(source, choose(f"{node}<-{source}", OPERATION)) for source in range(node)))
            for node in range(1, NODES)
        )
        return {"normal": Cell(1, states, (NODES - 1,))}

    def form(self, cell: Cell) -> str:
        """Return the cell's unique form as its authors define it: what follows a zero is zero, a skip is its source."""
        forms = ["0"]
        for place in range(1, NODES):
            parts = [_edge_form(forms[edge.source], edge.operation) for edge in cell.edges_of(place)]
            forms.append("+".join(sorted(parts)))
        return forms[-1]

    def draw(self, draft: Draft, network: CellNetwork) -> int:
        filters = network.stack.filters
        last = draft.chain(0, [Conv(filters), Normalization()])
        for stage in range(network.stack.stages):
            if stage:
                filters *= 2
                last = _reduced(draft, last, filters)
            for _ in range(network.stack.cells):
                last = draw_cell(draft, network.cells["normal"], (last,), filters)
        return draft.chain(last, [Normalization(), Activation()])


def _edge_form(source: str, operation: str) -> str:
    if operation == NONE or source == ZERO:
        return ZERO
    return source if operation == SKIP else f"({source})@{operation}"


def _reduced(draft: Draft, source: int, filters: int) -> int:
    """Draw the residual block between two stages."""
    long = draft.chain(source, [*convolved(Conv(filters, stride=2)), *convolved(Conv(filters))])
    short = draft.chain(source, [Pool("average", 2, 2), Conv(filters, (1, 1))])
    return draft.add(Add(), long, short)
