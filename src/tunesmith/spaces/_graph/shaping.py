"""The layers without weights that change a shape, or bring several inputs together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from tunesmith.errors import SpecError
from tunesmith.spaces._graph.layers import Layer, Shape, image_of, show, strided

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Input(Layer):
    """The network's input; the first node of a graph and no other."""

    op: ClassVar[str] = "input"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Identity(name=name)


@dataclass(frozen=True)
class Pool(Layer):
    """The greatest, or the mean, of each window."""

    kind: Literal["max", "average"]
    size: int = 3
    stride: int = 1
    op: ClassVar[str] = "pool"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        height, width, channels = image_of(self, inputs)
        return (*strided(height, width, self.stride), channels)

    def keras(self, name: str) -> "keras.Layer":
        import keras

        layer = keras.layers.MaxPooling2D if self.kind == "max" else keras.layers.AveragePooling2D
        return layer(self.size, strides=self.stride, padding="same", name=name)


@dataclass(frozen=True)
class GlobalAverage(Layer):
    """The mean over height and width."""

    op: ClassVar[str] = "global_average"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return (image_of(self, inputs)[-1],)

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.GlobalAveragePooling2D(name=name)


@dataclass(frozen=True)
class Flatten(Layer):
    """All positions of an image as one vector."""

    op: ClassVar[str] = "flatten"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        height, width, channels = image_of(self, inputs)
        return (height * width * channels,)

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Flatten(name=name)


@dataclass(frozen=True)
class Zeros(Layer):
    """Its input times zero: what a node without any edge is."""

    op: ClassVar[str] = "zeros"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Rescaling(0.0, name=name)


@dataclass(frozen=True)
class Rescale(Layer):
    """Its input times `scale`, plus `offset`: raw pixels standardised."""

    scale: float
    offset: float
    op: ClassVar[str] = "rescale"

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Rescaling(self.scale, offset=self.offset, name=name)


@dataclass(frozen=True)
class Add(Layer):
    """The sum of inputs of one shape."""

    op: ClassVar[str] = "add"
    merges: ClassVar[bool] = True

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return _one_shape(self, inputs)

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Add(name=name)


@dataclass(frozen=True)
class Average(Layer):
    """The mean of inputs of one shape."""

    op: ClassVar[str] = "average"
    merges: ClassVar[bool] = True

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        return _one_shape(self, inputs)

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Average(name=name)


@dataclass(frozen=True)
class Concatenate(Layer):
    """The inputs' channels side by side."""

    op: ClassVar[str] = "concatenate"
    merges: ClassVar[bool] = True

    def shape(self, inputs: Sequence[Shape]) -> Shape:
        sides = {shape[:-1] for shape in inputs}
        if len(sides) != 1:
            raise SpecError(f"concatenate: takes inputs of one height and width, got {', '.join(map(show, inputs))}")
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))

    def keras(self, name: str) -> "keras.Layer":
        import keras

        return keras.layers.Concatenate(name=name)


def _one_shape(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    if len(set(inputs)) != 1:
        raise SpecError(f"{layer.op}: takes inputs of one shape, got {', '.join(map(show, inputs))}")
    return inputs[0]
