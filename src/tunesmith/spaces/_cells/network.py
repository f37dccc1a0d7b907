"""A network of stacked cells: a stem, then stages, each with smaller images and more filters than the one before."""

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.errors import SpecError
from tunesmith.spaces._cells.cell import Cell, Join
from tunesmith.spaces._cells.operations import NONE, draw_operation
from tunesmith.spaces._graph.graph import Draft, Graph
from tunesmith.spaces._graph.layers import Dropout, Layer, Shape
from tunesmith.spaces._graph.shaping import Add, Average, Concatenate, GlobalAverage, Zeros
from tunesmith.spaces._graph.training import Trained

JOINS: dict[Join, type[Layer]] = {"add": Add, "concatenate": Concatenate, "average": Average}
# A side below this leaves a 3x3 operation nothing to look at.
LEAST_SIDE = 2


@dataclass(frozen=True)
class Stack:
    """How cells are stacked: `cells` in each of `stages`; `filters` in the first stage, twice as many in each further one."""

    stages: int
    cells: int
    filters: int
    dropout: float = 0.0


@dataclass(frozen=True)
class CellNetwork:
    """Cells, how they are stacked, and how the network is trained; `draw` puts the stacked cells on an image.

    cells: by name, `normal`, and `reduction` where that is another one.
    """

    cells: dict[str, Cell]
    stack: Stack
    training: Trained
    draw: Callable[[Draft, "CellNetwork"], int]

    def graph(self, image: Shape) -> Graph:
        """Return the layers from an image (height, width, channels) to the vector that the output layer reads."""
        check_stages(self.stack.stages, image)
        draft = Draft(image)
        last = draft.add(GlobalAverage(), self.draw(draft, self))
        if self.stack.dropout:
            draft.add(Dropout(self.stack.dropout), last)
        return draft.graph()


def check_stages(stages: int, image: Shape, before: int = 0) -> None:
    """Raise SpecError where an image is too small to be halved from stage to stage, and `before` times by the stem."""
    side, fitting = min(image[:2]), 1
    while side // 2 >= LEAST_SIDE:
        side, fitting = (side + 1) // 2, fitting + 1
    fitting, shown = fitting - before, "x".join(map(str, image[:2]))
    if fitting < 1:
        raise SpecError(f"stem: halves the image {before} times before the first stage; {shown} pixels are too few for that")
    if stages > fitting:
        halved = f", after the stem has halved it {before} times" if before else ""
        told = f"each but the first halves the image{halved}; {shown} pixels allow {fitting} at most"
        raise SpecError(f"stages: got {stages}, {told}")


def draw_cell(draft: Draft, cell: Cell, inputs: tuple[int, ...], filters: int, stride: int = 1) -> int:
    """Draw a cell on the nodes `inputs`, which have `filters` channels; returns its output.

    Operations on the inputs have the stride. A state whose edges are all `none` is zero.
    """
    places = dict(enumerate(inputs))
    for place, state in enumerate(cell.states, cell.inputs):
        if place not in cell.live:
            continue
        drawn = [
            draw_operation(edge.operation, draft, places[edge.source], filters, stride if edge.source < cell.inputs else 1)
            for edge in state.edges
            if edge.operation != NONE
        ]
        places[place] = joined(draft, state.join, drawn) if drawn else draft.add(Zeros(), inputs[0])
    return joined(draft, cell.join, [places[place] for place in cell.outputs])


def joined(draft: Draft, join: Join, places: list[int]) -> int:
    """Join nodes; a single one is what it is."""
    return places[0] if len(places) == 1 else draft.add(JOINS[join](), *places)
