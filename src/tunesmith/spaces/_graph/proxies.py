"""What tells of a network's worth before it is trained: zero-cost proxies that follow from its layers alone.

Synaptic flow (Tanaka et al., 2020; as a proxy Abdelfattah et al., 2021) is the sum over weights of weight times slope, all
weights taken as positive and the input as ones. A rectifier lets all of that pass, so that the flow is a sum over paths of the
product of weights, and each path counts once for every weight on it. With the size of a freshly drawn weight in place of each,
all channels of a layer are alike, and one number a node tells it all: no weights are made and nothing is run. On the cells of
NAS-Bench-201 it ranks as the measured one does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._graph.layers import Conv, Dense, Layer, Separable, Shape
from tunesmith.spaces._graph.shaping import Add, Average, Concatenate, Zeros

NOTHING = -math.inf
# A node's flow, and its flow counted once a weight on the way; logarithms.
Flow = tuple[float, float]
# What comes to a network: ones, and no weight on their way.
START: Flow = (0.0, NOTHING)


@dataclass(frozen=True)
class Prospect:
    """What is told of a graph: its synaptic flow, and the trained weights of layers that more than zeros come to."""

    flow: Flow
    parameters: int


def prospect_of(graph: Graph, shape: Shape) -> Prospect:
    """Return what is told of a graph for an input shape."""
    live = graph.live()
    shapes, parameters = live.shapes(shape), 0
    flows = [START]
    for node in live.nodes[1:]:
        read, inputs = [flows[source] for source in node.inputs], [shapes[source] for source in node.inputs]
        parameters += node.layer.weights(inputs)[0] if read[0][0] > NOTHING else 0
        flows.append(_through(node.layer, inputs, read))
    return Prospect(flows[-1], parameters)


def joined_flow(flows: Sequence[Flow], summed: bool) -> Flow:
    """Return the flow of a sum, or of channels side by side, or of a mean."""
    if not flows:
        return NOTHING, NOTHING
    shared = 0.0 if summed else math.log(len(flows))
    flow, counted = (float(np.logaddexp.reduce(each)) - shared for each in zip(*flows, strict=True))
    return flow, counted


def flow_through(before: Flow, part: Flow) -> Flow:
    """Return the flow behind a part of a network, of which the flow by itself is known."""
    flow, counted = before
    return flow + part[0], float(np.logaddexp(counted + part[0], flow + part[1]))


def _through(layer: Layer, shapes: Sequence[Shape], read: Sequence[Flow]) -> Flow:
    if isinstance(layer, Zeros):
        return NOTHING, NOTHING
    if isinstance(layer, Add | Average | Concatenate):
        return joined_flow(read, isinstance(layer, Add))
    flow = read[0]
    for inputs in _weighted(layer, shapes[0]):
        # So many weights of a size that goes with the root of their number (Glorot's).
        gain = math.log(inputs) / 2
        flow = flow_through(flow, (gain, gain))
    return flow


def _weighted(layer: Layer, shape: Shape) -> tuple[int, ...]:
    """Return of each of a layer's steps with weights how many inputs an output of it sums up."""
    match layer:
        case Conv():
            return (math.prod(layer.kernel) * shape[-1],)
        case Separable():
            return (math.prod(layer.kernel), shape[-1])
        case Dense():
            return (shape[0],)
        case _:
            return ()
