"""The layers that graphs are made of: what each makes of its inputs' shapes, what it costs, and the Keras layer it stands for.

Shapes are without the batch: (height, width, channels) of images, (features,) of vectors.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tunesmith.errors import SpecError

if TYPE_CHECKING:
    import keras

Shape = tuple[int, ...]
# Keras' 0.99 needs many hundred steps before the running averages are true; a short trial on few examples has a hundred.
NORMALIZATION_MOMENTUM = 0.9


class Layer(ABC):
    """One layer. A subclass is a frozen dataclass whose fields are its settings; `op` is its name in JSON.

    merges: whether it takes several inputs.
    """

    op: ClassVar[str]
    merges: ClassVar[bool] = False

    @abstractmethod
    def shape(self, inputs: Sequence[Shape]) -> Shape:
        """Return the shape of its output; raises SpecError where the inputs do not suit it."""

    @abstractmethod
    def keras(self, name: str) -> "keras.Layer":
        """Return the Keras layer."""

    def weights(self, inputs: Sequence[Shape]) -> tuple[int, int]:
        """Return the numbers of trained weights and of running averages."""
        del inputs
        return 0, 0

    def macs(self, inputs: Sequence[Shape]) -> int:
        """Return the multiplications with additions for one example; those of poolings and sums are not counted."""
        del inputs
        return 0


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution that keeps height and width, divided by its stride."""

    filters: int
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    dilation: int = 1
    bias: bool = False
    op: ClassVar[str] = "conv"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        height, width, _ = image_of(self, inputs)
        return (*strided(height, width, self.stride), self.filters)

    def weights(self, inputs: Sequence[Shape]) -> tuple[int, int]:
        return self.filters * (math.prod(self.kernel) * inputs[0][-1] + self.bias), 0

    def macs(self, inputs: Sequence[Shape]) -> int:
        return math.prod(self.shape(inputs)) * math.prod(self.kernel) * inputs[0][-1]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        strides, dilation = self.stride, self.dilation
        settings = {"strides": strides, "dilation_rate": dilation, "padding": "same", "use_bias": self.bias}
        return keras.layers.Conv2D(self.filters, self.kernel, name=name, **settings)


@dataclass(frozen=True)
class Separable(Layer):
    """A depthwise convolution, then a 1x1 one."""

    filters: int
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    op: ClassVar[str] = "separable"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        height, width, _ = image_of(self, inputs)
        return (*strided(height, width, self.stride), self.filters)

    def weights(self, inputs: Sequence[Shape]) -> tuple[int, int]:
        return inputs[0][-1] * (math.prod(self.kernel) + self.filters), 0

    def macs(self, inputs: Sequence[Shape]) -> int:
        height, width, _ = self.shape(inputs)
        return height * width * self.weights(inputs)[0]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        settings = {"strides": self.stride, "padding": "same", "use_bias": False}
        return keras.layers.SeparableConv2D(self.filters, self.kernel, name=name, **settings)


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer."""

    units: int
    bias: bool = True
    op: ClassVar[str] = "dense"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != 1:
            raise SpecError(f"dense: takes a vector, got {show(inputs[0])}; flatten or average it first")
        return (self.units,)

    def weights(self, inputs: Sequence[Shape]) -> tuple[int, int]:
        return self.units * (inputs[0][0] + self.bias), 0

    def macs(self, inputs: Sequence[Shape]) -> int:
        return self.units * inputs[0][0]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Dense(self.units, use_bias=self.bias, name=name)


@dataclass(frozen=True)
class Normalization(Layer):
    """Batch normalisation."""

    op: ClassVar[str] = "normalization"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def weights(self, inputs: Sequence[Shape]) -> tuple[int, int]:
        return 2 * inputs[0][-1], 2 * inputs[0][-1]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.BatchNormalization(momentum=NORMALIZATION_MOMENTUM, name=name)


@dataclass(frozen=True)
class Activation(Layer):
    """An activation by Keras' name."""

    function: str = "relu"
    op: ClassVar[str] = "activation"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Activation(self.function, name=name)


@dataclass(frozen=True)
class Dropout(Layer):
    """Sets a share of its inputs to zero while training."""

    rate: float
    op: ClassVar[str] = "dropout"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Dropout(self.rate, name=name)


def image_of(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    if len(inputs[0]) != 3:
        raise SpecError(f"{layer.op}: takes an image, got {show(inputs[0])}")
    return inputs[0]


def strided(height: int, width: int, stride: int) -> tuple[int, int]:
    return math.ceil(height / stride), math.ceil(width / stride)


def show(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "nothing"
