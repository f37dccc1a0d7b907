"""Zero-cost proxies: what follows from the layers is what is measured where all weights of a layer have one size."""

import math

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import cell
from tunesmith.spaces._cells.cell import Cell, Edge, State
from tunesmith.spaces._cells.proxies import LEAST, cell_proxies
from tunesmith.spaces._graph.graph import Draft, Graph
from tunesmith.spaces._graph.layers import Activation, Conv, Dense, Separable
from tunesmith.spaces._graph.proxies import NOTHING, prospect_of
from tunesmith.spaces._graph.shaping import Add, Average, Concatenate, GlobalAverage, Zeros
from tunesmith.spaces.cells_nasbench201 import NASBench201

IMAGE = (4, 4, 3)
SPACE = NASBench201(stages=2, cells=1, filters=4)


def branching() -> Graph:
    """1x1 convolutions alone: at an image's edge a larger one sums up less than elsewhere."""
    draft = Draft(IMAGE)
    stem = draft.chain(0, [Conv(6, (1, 1)), Activation()])
    long = draft.chain(stem, [Conv(5, (1, 1)), Activation(), Separable(6, (1, 1))])
    mean = draft.add(Average(), stem, long, draft.add(Conv(6, (1, 1)), stem))
    wide = draft.add(Concatenate(), mean, draft.add(Add(), stem, long))
    draft.chain(wide, [Conv(8, (1, 1)), GlobalAverage(), Dense(7, bias=False)])
    return draft.graph()


def measured(graph: Graph) -> float:
    """The logarithm of the sum over weights of weight times slope of an output, on an image of ones."""
    import keras
    import tensorflow as tf

    image = keras.Input(IMAGE)
    model = keras.Model(image, graph.connect(image))
    for weight in model.trainable_weights:
        # Of a depthwise kernel the last two axes are the channels and one filter each.
        depthwise = weight.path.endswith("depthwise_kernel")
        inputs = math.prod(weight.shape[:2]) if depthwise else math.prod(weight.shape[:-1])
        weight.assign(np.full(weight.shape, 1 / math.sqrt(inputs)))
    with tf.GradientTape() as tape:
        answer = tf.reduce_sum(model(tf.ones((1, *IMAGE)))[..., 0])
    slopes = tape.gradient(answer, [weight.value for weight in model.trainable_weights])
    flows = zip(model.trainable_weights, slopes, strict=True)
    return math.log(sum(float(tf.reduce_sum(weight.value * slope)) for weight, slope in flows))


def test_the_flow_is_the_measured_one() -> None:
    assert prospect_of(branching(), IMAGE).flow[1] == pytest.approx(measured(branching()), abs=1e-4)


def test_parameters_are_those_that_something_comes_to() -> None:
    draft = Draft(IMAGE)
    zero = draft.add(Zeros(), 0)
    draft.add(Concatenate(), draft.add(Conv(2, (1, 1)), 0), draft.add(Conv(50, (1, 1)), zero))
    assert prospect_of(draft.graph(), IMAGE).parameters == 6


def test_nothing_flows_through_a_network_of_zeros() -> None:
    draft = Draft(IMAGE)
    draft.chain(0, [Zeros(), Conv(4)])
    assert prospect_of(draft.graph(), IMAGE).flow == (NOTHING, NOTHING)
    assert SPACE.proxies([cell("000000")])["synflow"] == [LEAST]


def test_a_cell_s_flow_is_that_of_its_layers() -> None:
    made = Cell(1, (State((Edge(0, "conv_3x3"),)), State((Edge(0, "identity"), Edge(1, "conv_1x1")))), (1, 2))
    draft = Draft((8, 8, 8))
    one = draft.add(Conv(8), 0)
    draft.add(Concatenate(), one, draft.add(Add(), 0, draft.add(Conv(8, (1, 1)), one)))
    flow, counted = prospect_of(draft.graph(), (8, 8, 8)).flow
    # The stem's weight is on every path, too.
    assert cell_proxies([made])[1] == pytest.approx(np.logaddexp(counted, flow))


def test_what_follows_a_zero_adds_nothing() -> None:
    """The parameters of an operation on a state that is zero train nothing."""
    zeros = cell("003003")
    assert [values[0] for values in SPACE.proxies([zeros]).values()] == [0.0, LEAST]


def test_larger_convolutions_let_more_flow_than_small_ones_skips_and_nothing() -> None:
    ranked = [SPACE.proxies([cell(digits)])["synflow"][0] for digits in ("000000", "111111", "222222", "333333")]
    assert ranked == sorted(ranked)
    assert len(set(ranked)) == 4
