"""Weights by which an edited network computes what the one that it was edited from does.

Every node of the child that the parent has too, by key, gives the parent's numbers; each of its channels is one of the
parent's, or new. Channels that stand for the same one share its weight in the next layer unevenly, so that they learn apart
(Chen et al., 2016: Net2Net, section 2.2); weights on new channels begin at zero. New layers between such nodes pass on what
they get, new ones beside them end in a layer of zeros (Wei et al., 2016).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._graph import channels
from tunesmith.spaces._graph.channels import NEW
from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._graph.layers import Activation, Dense, Dropout, Layer, Normalization, Shape
from tunesmith.spaces._graph.shaping import Add, Average, Concatenate, Flatten
from tunesmith.spaces._graph.survey import WEIGHTED, width_of, with_width
from tunesmith.spaces._graph.wiring import keys_of

# A layer's arrays in Keras' order, by the layer's key.
Weights = Mapping[int, Sequence[np.ndarray]]
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Carried:
    """What a node of the child gives: the output of the parent's node `origin`; of each channel, which one it is, or NEW."""

    origin: int
    sources: np.ndarray


Passed = tuple[Carried, Arrays]


class Inheritance:
    """The passing on of weights from a parent to a child, for one shape of the input; raises SpecError where it cannot be."""

    def __init__(self, parent: Graph, child: Graph, shape: Shape) -> None:
        self.child, self.keys = child, keys_of(child)
        self.of_parent = dict(zip(keys_of(parent), parent.nodes, strict=True))
        self.parent_keys = keys_of(parent)
        self.widths = dict(zip(self.parent_keys, (each[-1] for each in parent.shapes(shape)), strict=True))
        self.shapes = child.shapes(shape)
        self.main = self._main_line()
        self.zeroed: set[int] = set()

    def weights(self, parent: Weights, fresh: Weights, output: Sequence[np.ndarray]) -> tuple[dict[int, Arrays], Arrays]:
        """Return the child's arrays by key, and those of the output layer; `fresh` are those that the child begins with."""
        carried: dict[int, Carried] = {0: Carried(self.parent_keys[0], np.arange(self.shapes[0][-1]))}
        given: dict[int, Arrays] = {}
        for place in range(1, len(self.keys)):
            key = self.keys[place]
            if key in self.of_parent:
                carried[place], given[key] = self._kept(place, carried, parent.get(key, ()), fresh.get(key, ()))
            elif place in self.main:
                carried[place], given[key] = self._passing(place, carried, fresh.get(key, ()))
        zeros = {key: [np.zeros_like(array) for array in fresh[key]] for key in self.zeroed}
        last = carried[len(self.keys) - 1]
        if last.origin != self.parent_keys[-1]:
            raise SpecError("the output of the network is not that of its parent")
        return given | zeros, channels.shared(Dense(1), output, last.sources, np.arange(output[0].shape[-1]))

    def _main_line(self) -> set[int]:
        """Return the places of the new nodes through which what the parent computes passes."""
        found: set[int] = set()
        kept = [place for place, key in enumerate(self.keys) if key in self.of_parent]
        waiting = [source for place in kept for source in self.child.nodes[place].inputs] + [len(self.keys) - 1]
        while waiting:
            place = waiting.pop()
            if self.keys[place] in self.of_parent or place in found:
                continue
            found.add(place)
            waiting.append(self.child.nodes[place].inputs[0])
        return found

    def _kept(
        self, place: int, carried: Mapping[int, Carried], old: Sequence[np.ndarray], fresh: Sequence[np.ndarray]
    ) -> Passed:
        """Return what a node gives that the parent has too, and its weights."""
        key, node = self.keys[place], self.child.nodes[place]
        before = self.of_parent[key]
        inputs = [carried[source] for source in node.inputs if source in carried]
        if [each.origin for each in inputs] != [self.parent_keys[source] for source in before.inputs]:
            raise SpecError(f"layer {key} does not read what it reads in the parent")
        if isinstance(node.layer, WEIGHTED):
            self._check_same(key, with_width(node.layer, width_of(before.layer)), before.layer)
            made = self._made(place, width_of(before.layer))
            return Carried(key, made), channels.shared(node.layer, old, inputs[0].sources, made)
        self._check_same(key, node.layer, before.layer)
        sources = self._combined(key, node.layer, inputs, self.shapes[node.inputs[0]])
        return Carried(key, sources), channels.picked(old, fresh, sources)

    def _passing(self, place: int, carried: Mapping[int, Carried], fresh: Sequence[np.ndarray]) -> Passed:
        """Return what a new node on the main line gives, which is what it gets, and the weights by which it does."""
        node = self.child.nodes[place]
        got = carried[node.inputs[0]]
        if isinstance(node.layer, Add):
            for source in node.inputs[1:]:
                self._end_in_zeros(source)
        elif isinstance(node.layer, Concatenate):
            more = self.shapes[place][-1] - len(got.sources)
            return replace(got, sources=np.concatenate([got.sources, np.full(more, NEW)])), []
        elif isinstance(node.layer, WEIGHTED):
            made = self._made(place, self.widths[got.origin])
            if getattr(node.layer, "stride", 1) != 1:
                raise SpecError(f"layer {self.keys[place]} makes what the parent computes smaller")
            return replace(got, sources=made), channels.identity(fresh, got.sources, made)
        elif isinstance(node.layer, Normalization):
            return got, channels.unchanging(fresh)
        elif not isinstance(node.layer, Dropout) and not self._is_rectified(node.layer, got):
            raise SpecError(f"layer {self.keys[place]}, {node.layer.op}, changes what the parent computes")
        return got, []

    def _made(self, place: int, before: int) -> np.ndarray:
        """Return the sources of a layer that stands for one of so many channels; raises SpecError where it has fewer."""
        width = width_of(self.child.nodes[place].layer)
        if width < before:
            raise SpecError(f"layer {self.keys[place]} has {width} channels, the parent has {before} there")
        return channels.copies(before, width)

    def _is_rectified(self, layer: Layer, got: Carried) -> bool:
        relu = Activation("relu")
        return layer == relu and self.of_parent[got.origin].layer == relu

    def _end_in_zeros(self, place: int) -> None:
        """Mark the last layers with weights before a place; raises SpecError where what it gives cannot be zero."""
        key, node = self.keys[place], self.child.nodes[place]
        passes = isinstance(node.layer, (Add, Normalization, Dropout, *WEIGHTED)) or node.layer == Activation("relu")
        if key in self.of_parent or not passes:
            raise SpecError(f"layer {key} adds to what the parent computes")
        if isinstance(node.layer, WEIGHTED):
            self.zeroed.add(key)
            return
        for source in node.inputs:
            self._end_in_zeros(source)

    def _combined(self, key: int, layer: Layer, inputs: list[Carried], shape: Shape) -> np.ndarray:
        """Return which of the parent's channels a node without weights gives; `shape`: that of its first input."""
        sources = [each.sources for each in inputs]
        if isinstance(layer, Concatenate):
            ends = np.cumsum([0, *(self.widths[each.origin] for each in inputs[:-1])])
            return np.concatenate([np.where(s == NEW, NEW, s + end) for s, end in zip(sources, ends, strict=True)])
        if isinstance(layer, Flatten):
            positions, width = shape[0] * shape[1], self.widths[inputs[0].origin]
            tiled, starts = np.tile(sources[0], positions), np.repeat(np.arange(positions) * width, len(sources[0]))
            return np.where(tiled == NEW, NEW, tiled + starts)
        if isinstance(layer, Add | Average) and any(not np.array_equal(sources[0], other) for other in sources[1:]):
            raise SpecError(f"layer {key} joins channels that were widened differently")
        return sources[0]

    @staticmethod
    def _check_same(key: int, layer: Layer, before: Layer) -> None:
        if layer != before:
            raise SpecError(f"layer {key} is {layer}, in the parent it is {before}")
