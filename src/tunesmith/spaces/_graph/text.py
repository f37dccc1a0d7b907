"""Graphs as the texts that candidates hold, and all graphs within limits as one distribution."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._architecture import ACTIVATIONS
from tunesmith.spaces._distributions import Distribution, Value
from tunesmith.spaces._graph.edits import Limits, random_edit
from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._graph.layers import Activation, Conv, Dropout, Layer, Separable
from tunesmith.spaces._graph.shaping import Pool
from tunesmith.spaces._graph.survey import WEIGHTED, Survey, width_of

MOST_NODES = 1000
MOST_SIDE = 31
# A graph drawn at random is so many edits away from the start at most.
MOST_EDITS = 8


def write(graph: Graph) -> str:
    """Return a graph as a text."""
    return json.dumps(graph.to_json(), separators=(",", ":"))


@lru_cache(maxsize=4096)
def read(text: str) -> Graph:
    """Return the graph of a text; raises SpecError naming the layer that is not allowed, and what would be."""
    try:
        form = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"layers: is no JSON ({error})") from None
    if isinstance(form, list) and len(form) > MOST_NODES:
        raise SpecError(f"layers: got {len(form)} layers; allowed: {MOST_NODES}")
    graph = Graph.from_json(form)
    for place, node in enumerate(graph.nodes):
        _check_layer(f"layers.{place}", node.layer)
    shape = Survey(graph).shapes[-1]
    if len(shape) != 1:
        raise SpecError(f"layers.{len(graph.nodes) - 1}: gives an image; the last layer gives a vector, such as global_average")
    return graph


def check_limits(graph: Graph, limits: Limits) -> None:
    """Raise SpecError where a graph is too large."""
    weighted = [(place, node.layer) for place, node in enumerate(graph.nodes) if isinstance(node.layer, WEIGHTED)]
    if len(weighted) > limits.layers:
        raise SpecError(f"layers: got {len(weighted)} layers with weights; most_layers allows {limits.layers}")
    for place, layer in weighted:
        if width_of(layer) > limits.filters:
            raise SpecError(f"layers.{place}: got {width_of(layer)} filters; most_filters allows {limits.filters}")


def _check_layer(where: str, layer: Layer) -> None:
    if isinstance(layer, Activation) and layer.function not in (*ACTIVATIONS, "linear"):
        raise SpecError(f"{where}.function: got {layer.function!r}; allowed: {', '.join((*ACTIVATIONS, 'linear'))}")
    if isinstance(layer, Dropout) and not 0 <= layer.rate < 1:
        raise SpecError(f"{where}.rate: got {layer.rate}; needs a number from 0 to below 1")
    sides: dict[str, tuple[int, ...]] = {}
    if isinstance(layer, WEIGHTED):
        sides["filters"] = (width_of(layer),)
    if isinstance(layer, Conv | Separable):
        sides |= {"kernel": layer.kernel, "stride": (layer.stride,), "dilation": (getattr(layer, "dilation", 1),)}
    if isinstance(layer, Pool):
        sides = {"size": (layer.size,), "stride": (layer.stride,)}
    for name, values in sides.items():
        most = MOST_SIDE if name != "filters" else max(*values, 1)
        if not all(1 <= value <= most for value in values):
            raise SpecError(f"{where}.{name}: got {', '.join(map(str, values))}; needs whole numbers from 1 to {most}")


@dataclass(frozen=True)
class GraphText(Distribution):
    """All graphs within limits; drawn are those that a few edits make of the start. `start`: makes it.

    The cdf tells how large a graph is, not which one it is: its quantile is another graph of about that size.
    """

    start: Callable[[], Graph]
    limits: Limits
    name: ClassVar[str] = "graph"

    def quantile(self, unit: float) -> Value:
        """Return the start for 0, and the more edits the larger the number; which ones its last digits decide."""
        graph, rng = self.start(), np.random.default_rng(int(unit * 2**52))
        for _ in range(int(np.ceil(unit * MOST_EDITS))):
            edited = random_edit(graph, self.limits, rng)
            graph = edited[0] if edited else graph
        return write(graph)

    def cdf(self, values: Sequence[Value]) -> np.ndarray:
        """Return how much larger graphs are than the start, in layers with weights, 0 to 1."""
        counts = [_layers(read(str(value))) for value in values]
        first = _layers(self.start())
        return np.clip((np.array(counts, dtype=float) - first) / MOST_EDITS, 0.0, 1.0)

    def contains(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        try:
            check_limits(read(value), self.limits)
        except SpecError:
            return False
        return True

    @property
    def size(self) -> float:
        return float("inf")

    def value_at(self, position: int) -> Value:
        raise IndexError(f"there is no end of graphs, so none has the place {position}")

    def to_json(self) -> dict[str, Any]:
        return {"graph": {"most_layers": self.limits.layers, "most_filters": self.limits.filters}}


def _layers(graph: Graph) -> int:
    return sum(isinstance(node.layer, WEIGHTED) for node in graph.nodes)
