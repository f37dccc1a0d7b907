"""Weights of one layer by channels: how they are copied, shared, and made so that nothing changes.

Notation:
    sources  of each channel of a child's tensor, which of the parent's channels it is; NEW where it is none of them
    arrays   a layer's weights in Keras' order, input channels second to last, output channels last; Separable's depthwise
             kernel has its input channels second to last too
"""

from collections.abc import Sequence

import numpy as np

from tunesmith.spaces._graph.layers import Layer, Separable

NEW = -1
# Keras adds it to the variance that a normalisation divides by.
EPSILON = 1e-3


def copies(before: int, after: int) -> np.ndarray:
    """Return the sources of a widened layer: its own channels, then ones drawn from them; the same for the same widths."""
    drawn = np.random.default_rng([before, after]).integers(before, size=max(after - before, 0))
    return np.concatenate([np.arange(before), drawn])


def shares(sources: np.ndarray, outputs: int) -> np.ndarray:
    """Return, inputs x outputs, what part of its source's weight each channel takes; 0 for a new channel.

    The parts of a source sum up to 1 and are uneven, others for each output: of equal parts, or of parts in one proportion, an
    optimizer that scales gradients would make equal steps, and copies would stay copies.
    """
    parts = np.random.default_rng(len(sources)).uniform(0.5, 1.5, (len(sources), outputs)) * (sources != NEW)[:, None]
    sums = np.zeros((int(sources.max(initial=0)) + 1, outputs))
    np.add.at(sums, np.maximum(sources, 0), parts)
    return np.divide(parts, sums[np.maximum(sources, 0)], out=np.zeros_like(parts), where=parts > 0)


def shared(layer: Layer, arrays: Sequence[np.ndarray], sources: np.ndarray, made: np.ndarray) -> list[np.ndarray]:
    """Return the arrays of a layer of the parent for inputs and outputs of these sources."""
    *rest, kernel = [array for array in arrays if array.ndim > 1]
    biases = [array[made] for array in arrays if array.ndim == 1]
    depthwise = [array[..., np.maximum(sources, 0), :] for array in rest] if isinstance(layer, Separable) else []
    read = kernel[..., np.maximum(sources, 0), :][..., made] * shares(sources, len(made))
    return [*depthwise, read.astype(kernel.dtype), *biases]


def identity(fresh: Sequence[np.ndarray], sources: np.ndarray, made: np.ndarray) -> list[np.ndarray]:
    """Return arrays that give of inputs with `sources` outputs with the sources `made`; `fresh`: arrays of that shape."""
    *rest, kernel = [np.zeros_like(array) for array in fresh if array.ndim > 1]
    for array in rest:
        array[(*_middle(array), slice(None), 0)] = 1.0
    first = {int(source): place for place, source in reversed(list(enumerate(sources))) if source != NEW}
    read = [first[int(source)] for source in made]
    kernel[(*_middle(kernel), read, np.arange(len(made)))] = 1.0
    return [*rest, kernel, *(np.zeros_like(array) for array in fresh if array.ndim == 1)]


def picked(arrays: Sequence[np.ndarray], fresh: Sequence[np.ndarray], sources: np.ndarray) -> list[np.ndarray]:
    """Return the arrays of a layer that works channel by channel; new channels keep the `fresh` ones."""
    return [np.where(sources == NEW, begun, array[np.maximum(sources, 0)]) for array, begun in zip(arrays, fresh, strict=True)]


def unchanging(fresh: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the arrays of a normalisation that changes nothing: gamma, beta, mean and variance."""
    gamma, beta, mean, variance = fresh
    return [np.ones_like(gamma), np.zeros_like(beta), np.zeros_like(mean), np.full_like(variance, 1 - EPSILON)]


def _middle(kernel: np.ndarray) -> tuple[int, ...]:
    """Return the place in a kernel that reads the position it answers for."""
    return tuple((side - 1) // 2 for side in kernel.shape[:-2])
