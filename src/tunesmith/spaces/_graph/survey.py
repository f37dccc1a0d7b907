"""What an editor of a graph needs to know: which widths hang together, and where a merge may go.

A width is a layer's number of filters or units. Sizes are relative: an image's true size is not known here, but strides keep
the ratio of two sizes whatever it is.
"""

from dataclasses import replace
from functools import cached_property

from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._graph.layers import Activation, Conv, Dense, Dropout, Layer, Normalization, Separable, Shape
from tunesmith.spaces._graph.shaping import Add, Average, Concatenate, Flatten, GlobalAverage, Pool, Rescale, Zeros
from tunesmith.spaces._graph.wiring import keys_of

# A power of two, so that every stride that is one divides it.
IMAGE: Shape = (4096, 4096, 1)
VECTOR: Shape = (1,)
WEIGHTED = (Conv, Separable, Dense)
CHANNELWISE = (Normalization, Activation, Dropout, Pool, GlobalAverage, Rescale, Zeros)
OF_IMAGES = (Conv, Separable, Pool, GlobalAverage, Flatten)


def width_of(layer: Layer) -> int:
    """Return how many filters or units a layer with weights has."""
    return layer.units if isinstance(layer, Dense) else layer.filters  # pyright: ignore[reportAttributeAccessIssue]


def with_width(layer: Layer, width: int) -> Layer:
    """Return the layer with as many filters or units."""
    name = "units" if isinstance(layer, Dense) else "filters"
    return replace(layer, **{name: width})  # pyright: ignore[reportArgumentType]


class Survey:
    """A graph, the relative shapes of its nodes, and what depends on what."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.keys = graph, keys_of(graph)
        self.layers = [node.layer for node in graph.nodes]
        self.image = any(isinstance(layer, OF_IMAGES) for layer in self.layers)
        self.shapes = graph.shapes(IMAGE if self.image else VECTOR)

    @property
    def weighted(self) -> list[int]:
        """The places of the layers with weights."""
        return [place for place, layer in enumerate(self.layers) if isinstance(layer, WEIGHTED)]

    @cached_property
    def rectified(self) -> list[int]:
        """The places whose outputs are never below zero and whose number of channels is known: after these edits begin."""
        return [p for p, layer in enumerate(self.layers) if layer == Activation("relu") and self.ties[p] >= 0]

    @cached_property
    def ties(self) -> list[int]:
        """For each node the lowest place of those that must be as wide; -1 where its width is another's sum, or the data's."""
        group = list(range(len(self.layers)))
        for place, node in enumerate(self.graph.nodes):
            tied = node.inputs if isinstance(node.layer, (Add, Average, *CHANNELWISE)) else ()
            found = {group[place], *(group[source] for source in tied)}
            group = [min(found) if each in found else each for each in group]
        free = [isinstance(layer, (*WEIGHTED, *CHANNELWISE, Add, Average)) for layer in self.layers]
        rigid = {group[place] for place, is_free in enumerate(free) if not is_free}
        return [-1 if each in rigid else each for each in group]

    def groups(self) -> list[list[int]]:
        """Return the places of the layers with weights that can be widened, those together that are tied."""
        found: dict[int, list[int]] = {}
        for place in self.weighted:
            if self.ties[place] >= 0:
                found.setdefault(self.ties[place], []).append(place)
        return list(found.values())

    @cached_property
    def summed(self) -> list[bool]:
        """For each node whether its channels reach a sum before a layer with weights, so that it cannot have more."""
        found = [False] * len(self.layers)
        for place in reversed(range(len(self.layers))):
            layers = [self.layers[reader] for reader in self.graph.readers[place]]
            passed = [reader for reader in self.graph.readers[place] if not isinstance(self.layers[reader], WEIGHTED)]
            found[place] = any(isinstance(layer, Add | Average) for layer in layers) or any(found[p] for p in passed)
        return found

    def stride(self, source: int, target: int) -> int | None:
        """Return by which stride a layer makes `source` as high and wide as `target`; None where none does."""
        sides, wanted = self.shapes[source][:-1], self.shapes[target][:-1]
        if len(sides) != len(wanted) or not all(side >= side_wanted for side, side_wanted in zip(sides, wanted, strict=True)):
            return None
        return sides[0] // wanted[0] if sides else 1

    def pairs(self) -> list[tuple[int, int]]:
        """Return pairs of places, the first before the second, between which a layer fits."""
        sources = [p for p, layer in enumerate(self.layers) if isinstance(layer, Activation | Pool | Add | Concatenate)]
        return [(s, t) for t in self.rectified for s in sources if s < t and self.stride(s, t) is not None]
