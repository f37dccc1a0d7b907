"""The small network that a search by edits begins with."""

from dataclasses import asdict, dataclass
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._graph.graph import Graph, Node
from tunesmith.spaces._graph.layers import Activation, Conv, Dense, Dropout, Layer, Normalization, show
from tunesmith.spaces._graph.shaping import GlobalAverage, Input, Pool

MOST_LAYERS = 20


@dataclass(frozen=True)
class Start:
    """Convolutions of 3x3, each with normalisation and a pooling that halves the image, then dense layers."""

    convs: int = 2
    filters: int = 16
    dense: int = 0
    units: int = 64

    def __post_init__(self) -> None:
        for name, least in (("convs", 0), ("dense", 0), ("filters", 1), ("units", 1)):
            most = MOST_LAYERS if least == 0 else 4096
            if not least <= getattr(self, name) <= most:
                raise SpecError(f"{name}: got {getattr(self, name)}; needs a whole number from {least} to {most}")
        if not self.convs + self.dense:
            raise SpecError("convs: got 0, and no dense layer; there has to be a layer that can be edited")

    def to_json(self) -> dict[str, Any]:
        """Return the keys of the search file."""
        return asdict(self)


def start_graph(start: Start, dropout: float) -> Graph:
    """Return the graph up to the vector that the output layer reads, each node with a key."""
    layers: list[Layer] = [Input()]
    for _ in range(start.convs):
        layers += [Conv(start.filters), Normalization(), Activation(), Pool("max", 2, 2)]
    layers += [GlobalAverage()] if start.convs else []
    for _ in range(start.dense):
        layers += [Dense(start.units, bias=False), Normalization(), Activation()]
    layers += [Dropout(dropout)] if dropout else []
    return Graph(tuple(Node(layer, (place - 1,) if place else (), place) for place, layer in enumerate(layers)))


def check_start(start: Start, most_layers: int, most_filters: int, given: bool) -> None:
    """Raise SpecError where a start is larger than the limits, naming the key to change: one of its own where it was given."""
    sizes = {
        "layers (convs and dense)": (start.convs + start.dense, "most_layers", most_layers),
        "filters": (start.filters if start.convs else 0, "most_filters", most_filters),
        "units": (start.units if start.dense else 0, "most_filters", most_filters),
    }
    for name, (size, limit, most) in sizes.items():
        if size <= most:
            continue
        if given:
            raise SpecError(f"start: got {size} {name}; {limit} allows {most}")
        raise SpecError(f"{limit}: got {most}, but start, which is not given, has {size} {name}; give a smaller start, or more")


def check_sides(graph: Graph, data: DatasetInfo, where: str) -> None:
    """Raise SpecError where an image is too small for the layers that make it smaller."""
    shapes = graph.shapes(data.input_shape)
    for node in graph.nodes[1:]:
        sides = shapes[node.inputs[0]][:-1]
        if sides and getattr(node.layer, "stride", 1) > min(sides):
            told = f"are too few for so many layers that halve the image; {_halvings(min(data.input_shape[:2]))}"
            raise SpecError(f"{where}{show(data.input_shape)} pixels {told}")


def _halvings(side: int) -> str:
    fitting = (side - 1).bit_length()
    if not fitting:
        return "it cannot be halved"
    return f"it can be halved {'once' if fitting == 1 else f'{fitting} times'}"
