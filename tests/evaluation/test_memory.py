"""The estimate of a training's memory, against counts made by hand."""

import pytest

from tunesmith.evaluation._memory import activations, training_bytes


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


TRAINED = 18 + 2 + 4 + 96 + 3
OUTPUTS = 32 + 32 + 32 + 3


@pytest.mark.parametrize(("name", "slots"), [("adam", 2), ("adamw", 2), ("rmsprop", 1), ("sgd", 0)])
def test_weights_gradients_slots_and_the_batchs_outputs_are_counted(name: str, slots: int):
    expected = 4 * ((TRAINED + 4) + TRAINED * (1 + slots) + 10 * OUTPUTS)
    assert training_bytes(network(name), batch_size=10) == expected


def test_momentum_takes_a_slot():
    import keras

    plain, heavy = (training_bytes(network(keras.optimizers.SGD(momentum=m)), 1) for m in (0.0, 0.9))
    assert heavy - plain == 4 * TRAINED


def test_the_slots_are_those_that_keras_makes():
    for name in ("adam", "nadam", "rmsprop", "sgd"):
        model = network(name)
        model.optimizer.build(model.trainable_variables)
        made = sum(variable.value.shape.num_elements() for variable in model.optimizer.variables if len(variable.shape))
        plain = 4 * ((TRAINED + 4) + TRAINED + OUTPUTS)
        assert training_bytes(model, 1) - plain == 4 * made, name


def test_layers_of_nested_models_count():
    import keras

    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Dense(7)])
    outer = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2)])
    assert activations(outer) == [5, 7, 2]
