"""Kernels of past trials, each fitted once: parallel proposals, and the weighing of earlier studies, share them."""

from functools import lru_cache

import numpy as np

from tunesmith.strategies._gp.cube import Column
from tunesmith.strategies._gp.kernel import features, pairs_of, together
from tunesmith.strategies._gp.model import Fitted, Teller, fit, prior_of
from tunesmith.strategies._gp.observations import thinned

# A kernel is fitted to no more trials than these.
MOST_FITTED = 200


def fitted(
    columns: tuple[Column, ...],
    units: np.ndarray,
    values: np.ndarray,
    seed: int,
    tempers: tuple[float, ...],
    told: tuple[Teller, ...] = (),
) -> list[Fitted]:
    """Return the kernels of n x d units with their values, one a temper (see `model.prior_of`), beside what others tell."""
    return _fitted_once(columns, units.tobytes(), values.tobytes(), seed, tempers, told)


@lru_cache(maxsize=32)
def _fitted_once(
    columns: tuple[Column, ...], units: bytes, values: bytes, seed: int, tempers: tuple[float, ...], told: tuple[Teller, ...]
) -> list[Fitted]:
    levels = np.frombuffer(values)
    rows = np.frombuffer(units).reshape(len(levels), len(columns))
    kept = thinned(levels, MOST_FITTED)
    rng = np.random.default_rng([seed, len(levels)])
    seen = features(rows[kept], columns)
    foretold = [each.foretold(seen) for each in told]
    dimensions, pairs = together(rows[kept], columns), pairs_of(seen)
    return [fit(pairs, levels[kept], rng, prior_of(dimensions, temper), foretold) for temper in tempers]
