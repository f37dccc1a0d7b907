"""What training a network will take of memory, known before it is trained."""

import math
from typing import TYPE_CHECKING

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import TrialFailed
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces._training import Foreseeable, Size, Training

if TYPE_CHECKING:
    import keras

BYTES = 4
# Numbers that an optimizer keeps for each trained weight; momentum counts one where it is used.
SLOTS = {"sgd": 0, "rmsprop": 1, "adagrad": 1, "lion": 1}
MOST_SLOTS = 2


def training_bytes(size: Size) -> int:
    """Estimate the bytes that training takes, in float32: 4 * (W + T + s * T + batch * A).

    W: all weights. T: trained weights, each with a gradient. s: numbers that the optimizer keeps for each.
    A: outputs of all layers for one example, kept from the forward pass for the backward one. Left out: the libraries
    themselves, the data, and scratch space.
    """
    return BYTES * (size.parameters + size.trained * (1 + size.slots) + size.batch_size * size.activations)


def check_final(space: Space, candidate: Candidate, info: DatasetInfo, limit: int | None) -> None:
    """Refuse a candidate whose network of the final size, which `space` makes, would take more than `limit` bytes to train.

    Raises TrialFailed with the figures. A space that cannot tell before it makes a network refuses nothing.
    """
    if limit is not None and isinstance(space, Foreseeable):
        check_final_size(space.estimate(candidate, info), limit)


def check_final_size(size: Size, limit: int | None) -> None:
    """Raise TrialFailed with the figures where the training of a network of the final size takes more than `limit` bytes."""
    needed = training_bytes(size)
    if limit is not None and needed > limit:
        raise TrialFailed(
            f"at its final size the network needs about {math.ceil(needed / 2**20):,} MiB to train "
            f"({size.parameters:,} parameters, batches of {size.batch_size}), "
            f"and there are {limit // 2**20:,} MiB (resources.memory)"
        )


def measure(training: Training) -> Size:
    """Return the size of a network that is built.

    Layers of a model that is no graph have outputs unknown before they run: its activations are 0.
    """
    model = training.model
    weights, trained = (sum(math.prod(weight.shape) for weight in some) for some in (model.weights, model.trainable_weights))
    return Size(weights, trained, optimizer_slots(model), sum(activations(model)), training.batch_size)


def activations(model: "keras.Model") -> list[int]:
    """Return the number of outputs of every layer for one example, nested models' layers included."""
    sizes: list[int] = []
    for layer in model.layers:
        sizes += activations(layer) if hasattr(layer, "layers") else [_outputs(layer)]
    return sizes


def optimizer_slots(model: "keras.Model") -> int:
    """Return how many numbers the model's optimizer keeps for each trained weight; two, as Adam, for all others."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return MOST_SLOTS
    name = type(optimizer).__name__.lower()
    extra = name in ("sgd", "rmsprop") and bool(getattr(optimizer, "momentum", 0))
    return SLOTS.get(name, MOST_SLOTS) + extra


def _outputs(layer: "keras.Layer") -> int:
    try:
        output = layer.output
    except (AttributeError, ValueError):
        return 0  # it was never called, or at several places
    shapes = [tensor.shape for tensor in (output if isinstance(output, list | tuple) else [output])]
    return sum(math.prod(size or 1 for size in shape[1:]) for shape in shapes)
