"""What one answer costs, counted on the layers: by hand for single layers, by the cells' own figures for networks."""

import pytest

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.errors import TrialFailed
from tunesmith.evaluation._costs import multiplications, peak_memory
from tunesmith.spaces.cells_nasbench201 import EDGES, OPERATIONS, NASBench201


def network(*layers):  # Keras layers on an image of 8x8x3
    import keras

    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


def test_the_multiplications_of_a_layer_are_those_counted_by_hand() -> None:
    from keras import layers

    assert multiplications(network(layers.Conv2D(4, 3, padding="same"))) == 64 * 9 * 3 * 4
    assert multiplications(network(layers.Conv2D(4, 3, strides=2, padding="same"))) == 16 * 9 * 3 * 4
    assert multiplications(network(layers.SeparableConv2D(4, 3, padding="same"))) == 64 * (9 * 3 + 3 * 4)
    assert multiplications(network(layers.DepthwiseConv2D(3, padding="same"))) == 64 * 9 * 3
    assert multiplications(network(layers.Conv2DTranspose(4, 3, strides=2))) == 64 * 9 * 3 * 4
    assert multiplications(network(layers.Flatten(), layers.Dense(5))) == 192 * 5
    assert multiplications(network(layers.MaxPooling2D(), layers.BatchNormalization())) == 0


def test_a_model_within_a_model_counts() -> None:
    from keras import layers

    inner = network(layers.Conv2D(4, 3, padding="same"))
    assert multiplications(network(inner, layers.Flatten(), layers.Dense(2))) == 64 * 9 * 3 * 4 + 256 * 2


def test_the_multiplications_of_cells_are_those_that_the_space_foresees() -> None:
    space, info = NASBench201(stages=2, cells=1, filters=4), images(8)
    candidate = dict(zip(EDGES, [OPERATIONS[i] for i in (3, 2, 1, 4, 3, 0)], strict=True))
    features = 8
    output = features * info.outputs
    assert multiplications(space.network(candidate, info).model) == space.costs(candidate, info).macs + output


def test_a_layer_whose_kernel_is_used_in_an_unknown_way_is_named() -> None:
    from keras import layers

    with pytest.raises(TrialFailed, match=r"macs: those of the layer .*lstm.* cannot be counted"):
        multiplications(network(layers.Reshape((64, 3)), layers.LSTM(2)))


def test_an_output_is_held_until_its_last_reader() -> None:
    import keras
    from keras import layers

    image = keras.Input((8, 8, 4), name="image")
    first = layers.ReLU(name="first")(image)
    second = layers.ReLU(name="second")(first)
    straight = keras.Model(image, second)
    across = keras.Model(image, layers.Add(name="sum")([second, image]))
    size = 8 * 8 * 4
    assert peak_memory(straight) == 4 * 2 * size
    assert peak_memory(across) == 4 * 3 * size


def test_the_weights_count_too() -> None:
    from keras import layers

    model = network(layers.Flatten(), layers.Dense(5))
    assert peak_memory(model) == 4 * (193 * 5 + 2 * 192)
