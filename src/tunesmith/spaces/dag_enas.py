"""ENAS' directed acyclic graphs (Pham et al., 2018): two cells of nodes, or a whole network of layers with skip connections."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunesmith.errors import SpecError
from tunesmith.spaces._cells.blocks import choose_cell, draw_stages
from tunesmith.spaces._cells.cell import Cell, Edge, State
from tunesmith.spaces._cells.network import CellNetwork, joined
from tunesmith.spaces._cells.operations import convolved, draw_operation
from tunesmith.spaces._cells.space import CellSpace
from tunesmith.spaces._distributions import Choice
from tunesmith.spaces._graph.graph import Draft
from tunesmith.spaces._graph.layers import Activation, Conv, Normalization
from tunesmith.spaces._graph.shaping import Pool
from tunesmith.spaces._space import Chooser

MICRO = ("identity", "separable_3x3", "separable_5x5", "average_3x3", "max_3x3")
MACRO = ("conv_3x3", "conv_5x5", "separable_3x3", "separable_5x5", "average_3x3", "max_3x3")
OPERATION, SKIP = Choice(MACRO), Choice((False, True))
MOST_NODES = 24


@dataclass(frozen=True)
class DagENAS(CellSpace):
    """Each of `nodes` nodes chooses what it reads and what it does.

    `scope: micro` (section 2.4): a normal and a reduction cell; a node adds two operations on earlier nodes, loose ends are
    averaged. `scope: macro` (section 2.3): the nodes are the layers of the whole network, spread over its stages; each chooses
    its operation and which of the earlier layers it reads beside the one before it. `cells` means nothing there.
    """

    nodes: int = 5
    scope: Literal["micro", "macro"] = "micro"
    operations: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys((*MICRO, *MACRO)))

    def _check(self) -> None:
        if not 1 <= self.nodes <= MOST_NODES:
            raise SpecError(f"nodes: got {self.nodes}; needs a whole number from 1 to {MOST_NODES}")
        if self.scope == "macro" and self.nodes < self.stages:
            raise SpecError(f"stages: got {self.stages}; each needs a node, and nodes is {self.nodes}")

    def define_cells(self, choose: Chooser) -> dict[str, Cell]:
        if self.scope == "macro":
            return {"normal": self._layers(choose)}
        return {
            name: choose_cell(choose, f"{name}.", self.nodes, MICRO, ("add",), "average") for name in ("normal", "reduction")
        }

    def draw(self, draft: Draft, network: CellNetwork) -> int:
        return draw_stages(draft, network, "cifar") if self.scope == "micro" else _draw_layers(draft, network)

    def _layers(self, choose: Chooser) -> Cell:
        """Choose the layers of a network: state 0 is the stem, each layer's first edge is its operation on the one before."""
        states = []
        for layer in range(1, self.nodes + 1):
            edges = [Edge(layer - 1, choose(f"layer{layer}.operation", OPERATION))]
            skips = [place for place in range(1, layer - 1) if choose(f"layer{layer}.skip{place}", SKIP)]
            edges += [Edge(place, "identity") for place in skips]
            states.append(State(tuple(edges), "concatenate"))
        return Cell(1, tuple(states), (self.nodes,))


def _draw_layers(draft: Draft, network: CellNetwork) -> int:
    """Draw the layers; between two stages all that is read later is halved by pooling, and brought to the filters there."""
    (cell,), stack = network.cells.values(), network.stack
    filters = stack.filters
    places = [draft.chain(0, [Conv(filters), Normalization()])]
    for number, state in enumerate(cell.states):
        if number and number * stack.stages // len(cell.states) > (number - 1) * stack.stages // len(cell.states):
            filters *= 2
            places = [draft.chain(place, [*convolved(Conv(filters, (1, 1))), Pool("average", 2, 2)]) for place in places]
        first, *skips = state.edges
        done = draw_operation(first.operation, draft, places[first.source], filters)
        read = joined(draft, "concatenate", [done, *(places[edge.source] for edge in skips)])
        places.append(draft.chain(read, convolved(Conv(filters, (1, 1)))) if skips else read)
    return draft.add(Activation(), places[-1])
