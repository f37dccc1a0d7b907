"""Kernels of past trials, each fitted once: parallel proposals, and the weighing of earlier studies, share them."""

from functools import lru_cache

import numpy as np

from tunesmith.strategies._gp.cube import Column
from tunesmith.strategies._gp.kernel import Kernel, features
from tunesmith.strategies._gp.model import fit
from tunesmith.strategies._gp.observations import thinned

# A kernel is fitted to no more trials than these.
MOST_FITTED = 200


def fitted(
    columns: tuple[Column, ...], units: np.ndarray, values: np.ndarray, seed: int, tempers: tuple[float, ...]
) -> list[Kernel]:
    """Return the kernels of n x d units with their values, one a temper (see `model.prior_of`)."""
    return _fitted_once(columns, units.tobytes(), values.tobytes(), seed, tempers)


@lru_cache(maxsize=32)
def _fitted_once(
    columns: tuple[Column, ...], units: bytes, values: bytes, seed: int, tempers: tuple[float, ...]
) -> list[Kernel]:
    levels = np.frombuffer(values)
    rows = np.frombuffer(units).reshape(len(levels), len(columns))
    kept = thinned(levels, MOST_FITTED)
    rng = np.random.default_rng([seed, len(levels)])
    return [fit(features(rows[kept], columns), levels[kept], rng, temper) for temper in tempers]
