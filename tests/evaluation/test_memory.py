"""The estimate of a training's memory, against counts made by hand, and before the network is built."""

import numpy as np
import pytest

from tunesmith.data.info import DatasetInfo
from tunesmith.evaluation._memory import activations, measure, training_bytes
from tunesmith.spaces._architecture import OPTIMIZERS
from tunesmith.spaces._training import Training
from tunesmith.spaces.layers import Layers


def network(optimizer):
    import keras

    layers = [
        keras.Input((4, 4, 1)),
        keras.layers.Conv2D(2, 3, padding="same"),  # 18 + 2 weights, 32 outputs
        keras.layers.BatchNormalization(),  # 4 trained weights and 4 averages, 32 outputs
        keras.layers.Flatten(),  # 32 outputs
        keras.layers.Dense(3),  # 96 + 3 weights, 3 outputs
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer, "mse")
    return model


def needed(optimizer, batch_size: int = 1) -> int:
    return training_bytes(measure(Training(network(optimizer), batch_size)))


TRAINED = 18 + 2 + 4 + 96 + 3
OUTPUTS = 32 + 32 + 32 + 3


@pytest.mark.parametrize(("name", "slots"), [("adam", 2), ("adamw", 2), ("rmsprop", 1), ("sgd", 0)])
def test_weights_gradients_slots_and_the_batchs_outputs_are_counted(name: str, slots: int):
    expected = 4 * ((TRAINED + 4) + TRAINED * (1 + slots) + 10 * OUTPUTS)
    assert needed(name, batch_size=10) == expected


def test_momentum_takes_a_slot():
    import keras

    plain, heavy = (needed(keras.optimizers.SGD(momentum=m)) for m in (0.0, 0.9))
    assert heavy - plain == 4 * TRAINED


def test_the_slots_are_those_that_keras_makes():
    for name in ("adam", "nadam", "rmsprop", "sgd"):
        model = network(name)
        model.optimizer.build(model.trainable_variables)
        made = sum(variable.value.shape.num_elements() for variable in model.optimizer.variables if len(variable.shape))
        plain = 4 * ((TRAINED + 4) + TRAINED + OUTPUTS)
        assert training_bytes(measure(Training(model, 1))) - plain == 4 * made, name


def test_layers_of_nested_models_count():
    import keras

    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Dense(7)])
    outer = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2)])
    assert activations(outer) == [5, 7, 2]


# Of one position, odd, too large to be flattened unless it is pooled, and too large in any case.
SHAPES = ((1, 1, 1), (5, 9, 3), (16, 17, 1), (100, 3, 2))
IMAGES = [DatasetInfo("images", "classification", shape, ("a", "b", "c"), {}, "0", "test") for shape in SHAPES]
TABLE = DatasetInfo("table", "regression", (7,), (), {}, "0", "test")


@pytest.mark.parametrize("data", [*IMAGES, TABLE], ids=lambda data: "x".join(map(str, data.input_shape)))
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_size_of_plain_layers_is_known_before_keras_builds_them(data: DatasetInfo, optimizer: str):
    convs = {"convs": [0, 7], "filters": {"int": [1, 6]}, "kernel": {"choice": [1, 2, 3, 5]}} if data.kind == "images" else {}
    space = Layers(dense=[0, 3], units={"int": [1, 9]}, dropout={"choice": [0, 0.3]}, optimizer=optimizer, **convs).fit_to(data)
    rng = np.random.default_rng(OPTIMIZERS.index(optimizer))
    for _ in range(3):
        candidate = space.sample(rng)
        assert space.estimate(candidate, data) == measure(space.network(candidate, data)), candidate
