"""What tells of a network's worth before it is trained: zero-cost proxies that follow from its layers alone.

Synaptic flow (Tanaka et al., 2020; as a proxy Abdelfattah et al., 2021) is the sum over weights of weight times slope, all
weights taken as positive and the input as ones. A rectifier lets all of that pass, so that the flow is a sum over paths of the
product of weights, and each path counts once for every weight on it. With the size of a freshly drawn weight in place of each,
all channels of a layer are alike, and one number a node tells it all: no weights are made and nothing is run. On the cells of
NAS-Bench-201 it ranks as the measured one does.
"""

import math
from collections.abc import Sequence

import numpy as np

from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._graph.layers import Conv, Dense, Layer, Separable, Shape
from tunesmith.spaces._graph.shaping import Add, Average, Concatenate, Zeros

NOTHING = -math.inf
# The logarithm that stands for a network through which nothing flows.
LEAST = -20.0
PROXIES = ("parameters", "synflow")
# A node's flow, and its flow counted once a weight on the way; logarithms.
Flow = tuple[float, float]


def proxies_of(graph: Graph, shape: Shape) -> np.ndarray:
    """Return the logarithms of `PROXIES` of a network for an input shape; shape (2,).

    parameters: trained weights of layers that more than zeros come to. synflow: what is to be expected, at least `LEAST`.
    """
    live = graph.live()
    shapes, parameters = live.shapes(shape), 0
    flows: list[Flow] = [(0.0, NOTHING)]
    for node in live.nodes[1:]:
        read, inputs = [flows[source] for source in node.inputs], [shapes[source] for source in node.inputs]
        parameters += node.layer.weights(inputs)[0] if read[0][0] > NOTHING else 0
        flows.append(_through(node.layer, inputs, read))
    return np.array([math.log1p(parameters), max(flows[-1][1], LEAST)])


def _through(layer: Layer, shapes: Sequence[Shape], read: Sequence[Flow]) -> Flow:
    if isinstance(layer, Zeros):
        return NOTHING, NOTHING
    if isinstance(layer, Add | Average | Concatenate):
        shared = 0.0 if isinstance(layer, Add) else math.log(len(read))
        flow, counted = (float(np.logaddexp.reduce(each)) - shared for each in zip(*read, strict=True))
        return flow, counted
    flow, counted = read[0]
    for inputs in _weighted(layer, shapes[0]):
        # So many weights of a size that goes with the root of their number (Glorot's).
        gain = math.log(inputs) / 2
        flow, counted = flow + gain, float(np.logaddexp(counted + gain, flow + gain))
    return flow, counted


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
