"""How far two graphs are apart: what it takes to edit one into the other (Jin, Song & Hu, 2019: Auto-Keras, section 3.1)."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._graph.layers import Layer
from tunesmith.spaces._graph.survey import WEIGHTED, width_of, with_width


@dataclass(frozen=True)
class Skip:
    """A connection beside the main line: its kind, and after how many layers with weights it begins and ends."""

    kind: str
    begin: int
    end: int


@dataclass(frozen=True)
class Weights:
    """A layer with weights: what it is whatever its width, and its width."""

    form: Layer
    width: int


@dataclass(frozen=True)
class Outline:
    """What the distance compares: the layers with weights, in order, and the skips."""

    layers: tuple[Weights, ...]
    skips: tuple[Skip, ...]


def outline_of(graph: Graph) -> Outline:
    """Return a graph's outline."""
    layers: list[Weights] = []
    after: list[int] = []
    skips: list[Skip] = []
    for place, node in enumerate(graph.nodes):
        if isinstance(node.layer, WEIGHTED):
            layers.append(Weights(with_width(node.layer, 1), width_of(node.layer)))
        # A layer's depth is the longest way to it, so that it does not depend on the order of what lies side by side.
        deepest = max((after[source] for source in node.inputs), default=0)
        after.append(deepest + isinstance(node.layer, WEIGHTED))
        skips += [Skip(node.layer.op, after[source], after[place]) for source in node.inputs[1:]]
    return Outline(tuple(layers), tuple(skips))


def distance(one: Outline, other: Outline) -> float:
    """Return the cost of the cheapest edits; 0 for equal outlines."""
    return _of_layers(one.layers, other.layers) + _of_skips(one.skips, other.skips)


def _of_layers(one: tuple[Weights, ...], other: tuple[Weights, ...]) -> float:
    """Return the cost of matching layers in order; one without a match costs 1."""
    before = [float(count) for count in range(len(other) + 1)]
    for i, mine in enumerate(one, 1):
        costs = [float(i)]
        for theirs, diagonal, above in zip(other, before, before[1:], strict=False):
            costs.append(min(diagonal + _of_pair(mine, theirs), above + 1, costs[-1] + 1))
        before = costs
    return before[-1]


def _of_pair(one: Weights, other: Weights) -> float:
    """Return the share by which widths differ, 1 for layers of different kinds."""
    if type(one.form) is not type(other.form):
        return 1.0
    # Another kernel or stride is half of another layer.
    apart = 0.0 if one.form == other.form else 0.5
    return min(apart + abs(one.width - other.width) / max(one.width, other.width), 1.0)


def _of_skips(one: tuple[Skip, ...], other: tuple[Skip, ...]) -> float:
    """Return the cost of the best matching of skips, whatever their order; one without a match costs 1."""
    if not one or not other:
        return float(max(len(one), len(other)))
    costs = np.array([[_of_two_skips(mine, theirs) for theirs in other] for mine in one])
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum()) + abs(len(one) - len(other))


def _of_two_skips(one: Skip, other: Skip) -> float:
    if one.kind != other.kind:
        return 1.0
    lengths = one.end - one.begin, other.end - other.begin
    largest = max(one.begin, other.begin) + max(lengths)
    return (abs(one.begin - other.begin) + abs(lengths[0] - lengths[1])) / largest if largest else 0.0
