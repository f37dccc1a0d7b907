"""Training on a share of the examples that grows to all of them, so that a trial stopped early has seen few.

Progressive sampling (Provost, Jensen & Oates, "Efficient Progressive Sampling", 1999), with the weights kept from share to
share: epoch e of E trains on the first e/E of one order, which is the same for all trials, or they could not be compared.
"""

import math
from collections.abc import Iterator

import numpy as np

ORDER_SEED = 0


def growing_order(labels: np.ndarray, has_classes: bool) -> np.ndarray:
    """Return the positions of examples in an order every beginning of which is mixed as the whole is; shape (n,).

    Where there are classes, one example of each comes first.
    """
    rng = np.random.default_rng(ORDER_SEED)
    mixed = rng.permutation(len(labels))
    return mixed[np.argsort(_places(labels[mixed]), kind="stable")] if has_classes else mixed


def _places(labels: np.ndarray) -> np.ndarray:
    """Return where in the order each example should be, 0 to 1: those of a class evenly, its first one at 0."""
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        places[members] = np.arange(len(members)) / len(members)
    return places


def growing_counts(examples: int, epochs: int, least: int) -> Iterator[int]:
    """Yield how many examples each epoch trains on: e/E of them, at least `least`, in the end all."""
    for epoch in range(1, epochs + 1):
        yield min(max(math.ceil(examples * epoch / epochs), least), examples)
