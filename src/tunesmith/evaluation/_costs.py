"""What one answer of a network costs, counted on its layers: multiplications, and the memory that is held at a time."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tunesmith.errors import TrialFailed
from tunesmith.evaluation._describe import describe_network

if TYPE_CHECKING:
    import keras

BYTES = 4


def multiplications(model: "keras.Model") -> int:
    """Return the multiply-accumulate operations (MACs) of one example's answer, those of convolutions and dense layers.

    All else costs next to nothing beside them, as papers count. Raises TrialFailed for a layer whose kernel is used in a way
    that is not known here.
    """
    return sum(multiplications(layer) if hasattr(layer, "layers") else _of_layer(layer) for layer in model.layers)


def _of_layer(layer: Any) -> int:
    names = [type(layer).__name__, *(base.__name__ for base in type(layer).__mro__)]
    count = next((COUNTS[name] for name in names if name in COUNTS), None)
    if count:
        return count(layer)
    if any("kernel" in weight.name for weight in layer.weights):
        raise TrialFailed(f"macs: those of the layer {layer.name} ({names[0]}) cannot be counted")
    return 0


def _at_each_output(layer: Any) -> int:
    """Every weight but the biases is used once at each place of the output."""
    kernels = [weight for weight in layer.weights if "kernel" in weight.name]
    return _places(layer, layer.output.shape) * sum(math.prod(kernel.shape) for kernel in kernels)


def _at_each_input(layer: Any) -> int:
    return _places(layer, layer.input.shape) * math.prod(layer.kernel.shape)


def _places(layer: Any, shape: tuple[int | None, ...]) -> int:
    first = getattr(layer, "data_format", None) == "channels_first"
    return math.prod(size or 1 for size in (shape[2:] if first else shape[1:-1]))


COUNTS: dict[str, Callable[[Any], int]] = {
    **dict.fromkeys(("Dense", "BaseConv", "BaseDepthwiseConv", "BaseSeparableConv"), _at_each_output),
    "BaseConvTranspose": _at_each_input,
}


def peak_memory(model: "keras.Model") -> int:
    """Return the bytes that one example's answer holds at its peak, in float32: the weights and the outputs still to be read.

    An output is freed after the last layer that reads it. Layers of unknown output count nothing.
    """
    layers = describe_network(model)
    place = {layer["name"]: i for i, layer in enumerate(layers)}
    last = list(range(len(layers)))
    for i, layer in enumerate(layers):
        for name in layer["inputs"]:
            last[place[name]] = i
    sizes = [math.prod(size or 1 for size in (layer["output_shape"] or [0])) for layer in layers]
    held = [sum(size for i, size in enumerate(sizes[: now + 1]) if last[i] >= now) for now in range(len(layers))]
    return BYTES * (sum(math.prod(weight.shape) for weight in model.weights) + max(held, default=0))
