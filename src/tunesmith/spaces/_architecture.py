"""A plain description of a network of convolutions and dense layers, and how Keras builds it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.data.info import DatasetInfo
from tunesmith.spaces._training import Size, Training

if TYPE_CHECKING:
    import keras

ACTIVATIONS = ("relu", "elu", "selu", "gelu", "silu", "leaky_relu", "tanh", "sigmoid", "softplus")
# With the numbers that each keeps for a trained weight.
SLOTS = {"adam": 2, "adamw": 2, "nadam": 2, "rmsprop": 1, "sgd": 1}
OPTIMIZERS = tuple(SLOTS)
# What a training reports beside the loss.
TASK_METRICS = {"classification": "accuracy", "regression": "mae"}
MOMENTUM = 0.9
# Keras' 0.99 needs many hundred steps before the running averages are true; a short trial on few examples has a hundred.
NORMALIZATION_MOMENTUM = 0.9
# More positions than these are averaged before the dense layers: flattened, they would make the first one huge.
MOST_FLATTENED = 64


@dataclass(frozen=True)
class Convolution:
    """A square convolution that keeps its input's height and width.

    `skips`: earlier convolutions, from 1, that it reads beside the one before it.
    """

    filters: int
    kernel: int
    dropout: float
    skips: tuple[int, ...] = ()


@dataclass(frozen=True)
class Dense:
    """A hidden dense layer."""

    units: int
    dropout: float


@dataclass(frozen=True)
class Architecture:
    """A network of convolutions, then dense layers, and how it is trained; the output layer follows from the data.

    `activation` and `batch_normalization` are those of every hidden layer.
    """

    convs: tuple[Convolution, ...]
    dense: tuple[Dense, ...]
    activation: str
    batch_normalization: bool
    optimizer: str
    learning_rate: float
    batch_size: int


def poolings(count: int, height: int, width: int) -> set[int]:
    """Return after which of `count` convolutions (from 1) an image is halved.

    The halvings are spread evenly and stop at a side of 2 or 3, so that no number of convolutions shrinks an image away.
    """
    halvings = min(count, max(0, int(math.log2(min(height, width))) - 1))
    return {math.ceil(count * i / (halvings + 1)) for i in range(1, halvings + 1)}


def build_network(architecture: Architecture, info: DatasetInfo) -> Training:
    """Build and compile the network for a data set; it takes raw pixels, or the encoded rows of a table.

    Outputs are class probabilities, or one number: the standardised target.
    """
    import keras

    first: list[keras.Layer] = [scaling(info)] if info.kind == "images" else []
    convs = _convolutional(architecture, info) if info.kind == "images" else []
    last = _dense(architecture, info)
    if any(conv.skips for conv in architecture.convs):
        model = _skipping(architecture, info, first, convs, last)
    else:
        layers = [*first, *(layer for layers in convs for layer in layers), *last]
        model = keras.Sequential([keras.Input(info.input_shape, name="input"), *layers], name="network")
    compile_for(model, info, make_optimizer(architecture.optimizer, architecture.learning_rate))
    return Training(model, architecture.batch_size)


def size_of(architecture: Architecture, info: DatasetInfo) -> Size:
    """Count the weights and outputs of the network that `build_network` makes, without Keras, which allocates them."""
    tally = _Tally(architecture.batch_normalization)
    inputs = math.prod(info.input_shape)
    if info.kind == "images":
        tally.outputs += inputs
        inputs = _count_convolutions(tally, architecture, info)
        tally.outputs += inputs
    for dense in architecture.dense:
        tally.add(inputs, dense.units, dense.dropout)
        inputs = dense.units
    trained = tally.trained + (inputs + 1) * info.outputs
    outputs = tally.outputs + info.outputs
    return Size(trained + tally.averages, trained, SLOTS[architecture.optimizer], outputs, architecture.batch_size)


def output_activation(info: DatasetInfo) -> str:
    """Return the activation of the output layer."""
    return "softmax" if info.task == "classification" else "linear"


def compile_for(model: "keras.Model", info: DatasetInfo, optimizer: "keras.Optimizer") -> None:
    """Compile with the loss and metric of the data's task."""
    classification = info.task == "classification"
    model.compile(
        optimizer,
        loss="sparse_categorical_crossentropy" if classification else "mse",
        metrics=[TASK_METRICS[info.task]],
    )


def make_optimizer(name: str, learning_rate: float) -> "keras.Optimizer":
    """Return a fresh Keras optimizer; `sgd` has Nesterov's momentum of 0.9."""
    import keras

    settings = {"momentum": MOMENTUM, "nesterov": True} if name == "sgd" else {}
    return keras.optimizers.get({"class_name": name, "config": {"learning_rate": learning_rate, **settings}})


def scaling(info: DatasetInfo) -> "keras.Layer":
    """Return the layer that standardises raw pixels, so that the model takes what the user has."""
    import keras

    mean = float(info.statistics.get("pixel_mean", 0.0))
    deviation = float(info.statistics.get("pixel_deviation", 1.0)) or 1.0
    return keras.layers.Rescaling(1 / deviation, offset=-mean / deviation, name="scaling")


def _dense(architecture: Architecture, info: DatasetInfo) -> list["keras.Layer"]:
    import keras

    layers: list[keras.Layer] = []
    for number, dense in enumerate(architecture.dense, 1):
        name = f"dense{number}"
        layers += [keras.layers.Dense(dense.units, use_bias=not architecture.batch_normalization, name=name)]
        layers += _rest(architecture, name, dense.dropout)
    return [*layers, keras.layers.Dense(info.outputs, activation=output_activation(info), name="output")]


def _skipping(
    architecture: Architecture,
    info: DatasetInfo,
    first: list["keras.Layer"],
    convs: list[list["keras.Layer"]],
    last: list["keras.Layer"],
) -> "keras.Model":
    """Return the network whose convolutions read earlier ones, too, pooled to their size and joined by channels."""
    import keras

    height, width, _ = info.input_shape
    halved = poolings(len(architecture.convs), height, width)
    inputs: Any = keras.Input(info.input_shape, name="input")
    outputs = [_through(first, inputs)]
    for number, conv in enumerate(architecture.convs, 1):
        read = outputs[-1]
        if conv.skips:
            halvings = {place: len(halved & set(range(place + 1, number))) for place in conv.skips}
            pooled = [_pooled(outputs[place], times, f"conv{number}_skip{place}") for place, times in halvings.items()]
            read = keras.layers.Concatenate(name=f"conv{number}_join")([read, *pooled])
        outputs.append(_through(convs[number - 1], read))
    return keras.Model(inputs, _through([*convs[-1], *last], outputs[-1]), name="network")


def _through(layers: list["keras.Layer"], tensor: Any) -> Any:
    for layer in layers:
        tensor = layer(tensor)
    return tensor


def _pooled(tensor: Any, halvings: int, name: str) -> Any:
    import keras

    # Halved several times, each time rounded down, a side is as long as divided once by the power of two.
    return keras.layers.MaxPooling2D(2**halvings, name=name)(tensor) if halvings else tensor


def _convolutional(architecture: Architecture, info: DatasetInfo) -> list[list["keras.Layer"]]:
    """Return the layers of each convolution, then those that make a vector of the last one's."""
    import keras

    height, width, _ = info.input_shape
    halved = poolings(len(architecture.convs), height, width)
    bias = not architecture.batch_normalization
    convs: list[list[keras.Layer]] = []
    for number, conv in enumerate(architecture.convs, 1):
        name = f"conv{number}"
        layer = keras.layers.Conv2D(conv.filters, conv.kernel, padding="same", use_bias=bias, name=name)
        convs.append([layer, *_rest(architecture, name, conv.dropout, pooled=number in halved)])
    if _averages(architecture, (height >> len(halved)) * (width >> len(halved))):
        return [*convs, [keras.layers.GlobalAveragePooling2D(name="average")]]
    return [*convs, [keras.layers.Flatten(name="flatten")]]


def _averages(architecture: Architecture, positions: int) -> bool:
    """Return whether what the convolutions leave is averaged over its positions, not flattened."""
    return bool(architecture.convs) and positions > MOST_FLATTENED


def _rest(architecture: Architecture, name: str, dropout: float, pooled: bool = False) -> list["keras.Layer"]:
    """Return what follows a layer's weights: normalisation, activation, pooling, dropout."""
    import keras

    layers: list[keras.Layer] = []
    if architecture.batch_normalization:
        layers += [keras.layers.BatchNormalization(momentum=NORMALIZATION_MOMENTUM, name=f"{name}_normalization")]
    layers += [keras.layers.Activation(architecture.activation, name=f"{name}_{architecture.activation}")]
    if pooled:
        layers += [keras.layers.MaxPooling2D(2, name=f"{name}_pooling")]
    if dropout > 0:
        layers += [keras.layers.Dropout(dropout, name=f"{name}_dropout")]
    return layers


@dataclass
class _Tally:
    """Counts trained weights, running averages and outputs, one hidden layer and its `_rest` after the other."""

    normalized: bool
    trained: int = 0
    averages: int = 0
    outputs: int = 0

    def add(self, inputs: int, width: int, dropout: float, positions: int = 1, pooled: int = 0) -> None:
        """Add a layer of `width` outputs, each made of `inputs` numbers, at `positions`; `pooled` to fewer where not 0."""
        self.trained += width * (inputs + 1 + self.normalized)
        self.averages += width * 2 * self.normalized
        self.outputs += width * ((2 + self.normalized) * positions + pooled + (dropout > 0) * (pooled or positions))


def _count_convolutions(tally: _Tally, architecture: Architecture, info: DatasetInfo) -> int:
    """Add the convolutions; returns how many numbers the dense layers get."""
    height, width, channels = info.input_shape
    halved = poolings(len(architecture.convs), height, width)
    sizes: list[tuple[int, int]] = []
    for number, conv in enumerate(architecture.convs, 1):
        positions, pooled = height * width, 0
        skipped = [sizes[place - 1] for place in conv.skips]
        if skipped:
            channels += sum(filters for filters, _ in skipped)
            smaller = sum(filters * positions for filters, size in skipped if size > height)
            tally.outputs += channels * positions + smaller
        if number in halved:
            height, width = height // 2, width // 2
            pooled = height * width
        tally.add(channels * conv.kernel**2, conv.filters, conv.dropout, positions, pooled)
        channels = conv.filters
        sizes.append((channels, height))
    return channels if _averages(architecture, height * width) else channels * height * width
