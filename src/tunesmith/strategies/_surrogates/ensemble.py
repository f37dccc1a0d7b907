"""Ensembles of small networks in NumPy, all members trained at once, each on most of the data."""

from typing import Protocol

import numpy as np

MEMBERS = 5
BATCH = 64
DECAY = 1e-4
# Adam's (Kingma & Ba, 2015).
FIRST_MOMENT, SECOND_MOMENT, SMALL = 0.9, 0.999, 1e-8
Arrays = dict[str, np.ndarray]


class Network(Protocol):
    """MEMBERS networks side by side: every array of `weights` has one slice a member."""

    weights: Arrays
    learning_rate: float
    updates: int

    def forward(self, inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return predictions, members x n, of inputs, members x n x ..., and what the way back needs."""
        ...

    def backward(self, memory: list[np.ndarray], slopes: np.ndarray) -> Arrays:
        """Return the gradient by the weights, given that by the predictions."""
        ...


def train(network: Network, inputs: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> None:
    """Fit each member to all but one fifth of the data (Liu et al., 2018, section 4.1) by Adam; squared error.

    inputs: n x ...; targets: n, of deviation about 1.
    """
    shares = _shares(len(targets), rng)
    means = {name: np.zeros_like(weights) for name, weights in network.weights.items()}
    squares = {name: np.zeros_like(weights) for name, weights in network.weights.items()}
    for update in range(1, network.updates + 1):
        rows = np.stack([share[rng.integers(len(share), size=min(BATCH, len(targets)))] for share in shares])
        predictions, memory = network.forward(inputs[rows])
        slopes = (predictions - targets[rows]) / rows.shape[1]
        # Down to nothing in the end, so that the last batches do not decide.
        rate = network.learning_rate * 0.5 * (1 + np.cos(np.pi * update / (network.updates + 1)))
        for name, gradient in network.backward(memory, slopes).items():
            means[name] += (1 - FIRST_MOMENT) * (gradient - means[name])
            squares[name] += (1 - SECOND_MOMENT) * (gradient**2 - squares[name])
            mean = means[name] / (1 - FIRST_MOMENT**update)
            deviation = np.sqrt(squares[name] / (1 - SECOND_MOMENT**update))
            network.weights[name] -= rate * (mean / (deviation + SMALL) + DECAY * network.weights[name])


def _shares(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the rows that each member sees; all of them where there are too few to leave some out."""
    order = rng.permutation(count)
    if count < MEMBERS:
        return [order] * MEMBERS
    return [np.delete(order, np.s_[member::MEMBERS]) for member in range(MEMBERS)]


def spread(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return first weights by He's rule (2015), MEMBERS x shape."""
    return rng.normal(size=(MEMBERS, *shape)) * np.sqrt(2 / shape[0])
