"""Zero-cost proxies: what follows from the layers is what is measured where all weights of a layer have one size."""

import math

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import cell
from tunesmith.spaces._graph.graph import Draft, Graph
from tunesmith.spaces._graph.layers import Activation, Conv, Dense, Separable
from tunesmith.spaces._graph.proxies import LEAST, proxies_of
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
    assert proxies_of(branching(), IMAGE)[1] == pytest.approx(measured(branching()), abs=1e-4)


def test_parameters_are_those_that_something_comes_to() -> None:
    draft = Draft(IMAGE)
    zero = draft.add(Zeros(), 0)
    draft.add(Concatenate(), draft.add(Conv(2, (1, 1)), 0), draft.add(Conv(50, (1, 1)), zero))
    assert proxies_of(draft.graph(), IMAGE)[0] == pytest.approx(math.log1p(6))


def test_nothing_flows_through_a_network_of_zeros() -> None:
    draft = Draft(IMAGE)
    draft.chain(0, [Zeros(), Conv(4)])
    assert proxies_of(draft.graph(), IMAGE).tolist() == [0.0, LEAST]


def test_cells_without_an_edge_in_common_with_the_input_rank_last_and_convolutions_first() -> None:
    ranked = [SPACE.proxies([cell(digits)])["synflow"][0] for digits in ("000000", "111111", "222222", "333333")]
    assert ranked == sorted(ranked)
    assert len(set(ranked)) == 4
