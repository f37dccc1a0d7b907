"""A network as data: layers in topological order, each with the places of those it reads."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunesmith.errors import SpecError
from tunesmith.registry import configure, did_you_mean
from tunesmith.spaces._graph import layers, shaping
from tunesmith.spaces._graph.layers import Layer, Shape
from tunesmith.spaces._graph.shaping import Input

if TYPE_CHECKING:
    import keras

OPERATIONS: dict[str, type[Layer]] = {
    kind.op: kind
    for module in (layers, shaping)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Layer) and kind is not Layer
}


@dataclass(frozen=True)
class Node:
    """A layer and the places of the nodes it reads; `key`: what stays its own while a graph is edited around it."""

    layer: Layer
    inputs: tuple[int, ...] = ()
    key: int | None = None


@dataclass(frozen=True)
class Costs:
    """What a graph costs for one example; counts of numbers.

    activations: the outputs of all layers, as training keeps them. live: the most outputs held at a time to answer.
    """

    trained: int
    averages: int
    macs: int
    activations: int
    live: int


@dataclass(frozen=True)
class Graph:
    """Nodes of which the first is the input, the last the output, and each reads earlier ones only."""

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.nodes or not isinstance(self.nodes[0].layer, Input):
            raise SpecError("layers.0: the first layer of a graph is its input")
        for place, node in enumerate(self.nodes[1:], 1):
            _check_node(place, node)
        keys = [node.key for node in self.nodes if node.key is not None]
        if keys and len(set(keys)) < len(self.nodes):
            raise SpecError("layers: either none of the layers has a key, or each has one of its own")

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """The places of the nodes that read each node."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for place, node in enumerate(self.nodes):
            for source in dict.fromkeys(node.inputs):
                found[source].append(place)
        return tuple(map(tuple, found))

    def shapes(self, shape: Shape) -> list[Shape]:
        """Return the output shape of every node for an input shape; raises SpecError naming a layer that does not fit."""
        found: list[Shape] = [shape]
        for place, node in enumerate(self.nodes[1:], 1):
            try:
                found.append(node.layer.shape([found[source] for source in node.inputs]))
            except SpecError as error:
                raise SpecError(f"layers.{place}.{error}") from None
        return found

    def live(self) -> "Graph":
        """Return the graph without the layers that its output does not depend on, as Keras makes it."""
        needed = {0, len(self.nodes) - 1}
        for place in range(len(self.nodes) - 1, 0, -1):
            needed |= set(self.nodes[place].inputs) if place in needed else set()
        kept = sorted(needed)
        moved = {place: new for new, place in enumerate(kept)}
        nodes = (self.nodes[place] for place in kept)
        return Graph(tuple(replace(node, inputs=tuple(moved[source] for source in node.inputs)) for node in nodes))

    def costs(self, shape: Shape) -> Costs:
        """Return the costs for an input shape."""
        shapes = self.shapes(shape)
        trained = averages = macs = 0
        for node in self.nodes[1:]:
            inputs = [shapes[source] for source in node.inputs]
            own, running = node.layer.weights(inputs)
            trained, averages, macs = trained + own, averages + running, macs + node.layer.macs(inputs)
        sizes = [_size(each) for each in shapes]
        return Costs(trained, averages, macs, sum(sizes), self._live(sizes))

    def _live(self, sizes: Sequence[int]) -> int:
        """Return the most numbers held at a time: a node's output is freed after its last reader."""
        last = [max(readers, default=len(self.nodes)) for readers in self.readers]
        held = most = 0
        for place, size in enumerate(sizes):
            held += size
            most = max(most, held)
            held -= sum(sizes[source] for source in set(self.nodes[place].inputs) if last[source] == place)
        return most

    def connect(self, tensor: "keras.KerasTensor", prefix: str = "") -> "keras.KerasTensor":
        """Return the output of Keras layers made anew on an input tensor; layer i is called `{prefix}{i}_{op}`."""
        outputs: list[Any] = [tensor]
        for place, node in enumerate(self.nodes[1:], 1):
            layer = node.layer.keras(f"{prefix}{place}_{node.layer.op}")
            read = [outputs[source] for source in node.inputs]
            outputs.append(layer(read if node.layer.merges else read[0]))
        return outputs[-1]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the form that `from_json` reads, without what is as usual."""
        return [_node_form(node) for node in self.nodes]

    @classmethod
    def from_json(cls, form: object) -> "Graph":
        """Read a graph from untrusted JSON; raises SpecError naming the layer and what is allowed."""
        if not isinstance(form, Sequence) or isinstance(form, str):
            raise SpecError(f"layers: got {form!r}; needs a list of layers")
        return cls(tuple(_read_node(f"layers.{place}", each) for place, each in enumerate(form)))


class Draft:
    """A graph that is being drawn, which knows the shapes of what it has so far."""

    def __init__(self, shape: Shape) -> None:
        self._nodes, self._shapes = [Node(Input())], [shape]

    def add(self, layer: Layer, *sources: int) -> int:
        """Add a layer that reads the nodes at `sources`; returns its place."""
        self._shapes.append(layer.shape([self._shapes[source] for source in sources]))
        self._nodes.append(Node(layer, sources))
        return len(self._nodes) - 1

    def chain(self, source: int, chain: Iterable[Layer]) -> int:
        """Add layers one after the other; returns the last one's place."""
        for layer in chain:
            source = self.add(layer, source)
        return source

    def shape(self, place: int) -> Shape:
        """Return the output shape of a node."""
        return self._shapes[place]

    def graph(self) -> Graph:
        """Return what was drawn; the last layer added is the output."""
        return Graph(tuple(self._nodes))


def _check_node(place: int, node: Node) -> None:
    where = f"layers.{place}"
    if isinstance(node.layer, Input):
        raise SpecError(f"{where}: a graph has one input, its first layer")
    for source in node.inputs:
        if not 0 <= source < place:
            allowed = "0" if place == 1 else f"0 to {place - 1}"
            raise SpecError(f"{where}.inputs: got {source}; a layer reads earlier ones ({allowed}), or there would be a cycle")
    if not node.inputs or (len(node.inputs) > 1 and not node.layer.merges):
        raise SpecError(f"{where}.inputs: got {list(node.inputs)}; {node.layer.op} takes {'at least ' * node.layer.merges}one")


def _node_form(node: Node) -> dict[str, Any]:
    usual = {field.name: field.default for field in dataclasses.fields(node.layer)}  # pyright: ignore[reportArgumentType]
    settings = {name: value for name, default in usual.items() if (value := getattr(node.layer, name)) != default}
    inputs = {"inputs": list(node.inputs)} if node.inputs else {}
    return {"op": node.layer.op, **settings, **inputs, **({} if node.key is None else {"key": node.key})}


def _read_node(where: str, form: object) -> Node:
    if not isinstance(form, Mapping):
        raise SpecError(f"{where}: got {form!r}; needs an op with its settings")
    op = form.get("op")
    if not isinstance(op, str) or op not in OPERATIONS:
        raise SpecError(f"{where}.op: got {op!r}; allowed: {', '.join(OPERATIONS)}{did_you_mean(op, list(OPERATIONS))}")
    inputs = form.get("inputs", [])
    if not isinstance(inputs, Sequence) or not all(type(source) is int for source in inputs):
        raise SpecError(f"{where}.inputs: got {inputs!r}; needs a list of layers' places")
    key = form.get("key")
    if key is not None and (type(key) is not int or key < 0):
        raise SpecError(f"{where}.key: got {key!r}; needs a whole number from 0, or none")
    settings = {name: value for name, value in form.items() if name not in ("op", "inputs", "key")}
    return Node(configure(OPERATIONS[op], settings, where), tuple(inputs), key)


def _size(shape: Shape) -> int:
    size = 1
    for side in shape:
        size *= side
    return size
