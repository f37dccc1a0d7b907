"""One figure a trial for strategies that follow a single one, whatever the study has of objectives and constraints."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The share of the plain weighted sum in the augmented Tchebycheff function (Knowles, 2006: ParEGO).
AUGMENTATION = 0.05
# How far beyond the worst feasible trial the nearest miss is put, in units of the feasible ones' range.
GAP = 0.1
LARGEST = np.finfo(float).max


def scalarised(losses: Array, issued: int, seed: int) -> Array:
    """Return one figure for each row of `losses`, of shape (trials, objectives): an augmented Tchebycheff function of ranks.

    The objectives' weights change with every proposal issued, spread evenly over all there are, so that the proposals of a
    strategy that follows them spread over the front.
    """
    weighted = ranks(losses) * weights(losses.shape[1], issued, seed)
    return weighted.max(axis=1) + AUGMENTATION * weighted.sum(axis=1)


def ranks(losses: Array) -> Array:
    """Return every column's ranks between 0 and 1, the mean rank for equal values: objectives of any scale compare."""
    ordered = np.sort(losses, axis=0)
    columns = [
        np.searchsorted(known, column, "left") + np.searchsorted(known, column, "right") - 1
        for known, column in zip(ordered.T, losses.T, strict=True)
    ]
    return np.stack(columns, axis=1) / (2.0 * max(len(losses) - 1, 1))


def weights(objectives: int, issued: int, seed: int) -> Array:
    """Return weights that sum to 1: of a sequence that covers all such weights evenly, begun at a place given by the seed."""
    cuts = objectives - 1
    # The root of x^(d+1) = x + 1, the golden ratio for d = 1, gives the additive sequence of the least gaps known.
    ratio = 2.0
    for _ in range(64):
        ratio = (1.0 + ratio) ** (1.0 / (cuts + 1))
    start = np.random.default_rng([seed, objectives]).random(cuts)
    places = np.sort((start + issued * ratio ** -np.arange(1.0, cuts + 1)) % 1.0)
    return np.diff(np.concatenate([[0.0], places, [1.0]]))


def penalised(merits: Array, violations: Array) -> Array:
    """Return the merits with those of infeasible trials made worse than all feasible ones, the more the greater the miss."""
    infeasible = violations > 0
    if not infeasible.any():
        return merits
    feasible = merits[~infeasible] if not infeasible.all() else np.zeros(1)
    with np.errstate(over="ignore"):
        spread = float(np.ptp(feasible)) or 1.0
        result = merits.copy()
        result[infeasible] = feasible.max() + spread * (GAP + ranks(violations[infeasible][:, None])[:, 0])
    return np.clip(result, -LARGEST, LARGEST)
