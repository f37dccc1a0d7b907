"""Earlier studies' processes, and how far they can be trusted.

A study is trusted by the rank correlation of what its process foretells with what came: ranks compare studies whose losses do
not (as in Feurer et al., "Scalable Meta-Learning for Bayesian Optimization", 2018), and one that has nothing to do with this
study falls to nothing.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.stats import rankdata

from tunesmith.strategies._gp.cube import Column, Cube
from tunesmith.strategies._gp.fitting import fitted
from tunesmith.strategies._gp.kernel import CENTRE, Features, Kernel, categories_of, features, numbers_of
from tunesmith.strategies._gp.model import Posterior, Told
from tunesmith.strategies._gp.observations import branch_weights, thinned
from tunesmith.strategies._gp.warp import warp
from tunesmith.study import EarlierStudy, StudyView

# Before trials have ended a study is trusted so far, as if that had shown in so many of them.
FIRST_TRUST = 0.5
FIRST_TRIALS = 5
# So many trials of all earlier studies make their processes, and at least so many of each.
MOST_TOLD, LEAST_TOLD = 300, 40


@dataclass(frozen=True)
class Known:
    """Which columns an earlier study had: those of the numbers (p) and of the categories (q). Others it cannot tell apart."""

    numbers: np.ndarray
    categories: np.ndarray

    def part(self, asked: Features) -> Features:
        """Return candidates as the earlier study would see them."""
        if self.numbers.all() and self.categories.all():
            return asked
        numbers = np.where(self.numbers, asked.numbers, CENTRE)
        return replace(asked, numbers=numbers, options=np.where(self._options(asked), asked.options, _inactive(asked.groups)))

    def _options(self, asked: Features) -> np.ndarray:
        return self.categories @ asked.groups > 0


def _inactive(groups: np.ndarray) -> np.ndarray:
    """Return the options of a candidate with every category inactive: the last one of each group."""
    last = groups.cumsum(axis=1) == groups.sum(axis=1, keepdims=True)
    return (last & (groups > 0)).any(axis=0).astype(float)


def known_of(units: np.ndarray, columns: tuple[Column, ...]) -> Known:
    """Return which columns any of n x d units has."""
    there = np.asarray(np.isfinite(units).any(axis=0))
    return Known(there[numbers_of(columns)], there[categories_of(columns)])


@dataclass(frozen=True, eq=False)
class Earlier:
    """An earlier study's process."""

    known: Known
    posterior: Posterior

    @property
    def kernel(self) -> Kernel:
        """The process' covariance."""
        return self.posterior.kernel

    @property
    def seen(self) -> Features:
        """The study's trials."""
        return self.posterior.seen

    def of(self, asked: Features) -> np.ndarray:
        """Return what it expects of candidates."""
        return self.posterior.predict(self.known.part(asked))[0]

    def foretold(self, asked: Features) -> Told:
        """Return the means and covariances that it expects of candidates."""
        return self.posterior.foretold(self.known.part(asked))


def trust(study: Earlier, seen: Features, losses: np.ndarray) -> float:
    """Return how far a study foretells losses, from 0 to 1: their rank correlation, drawn to the first trust by few of them."""
    weight = len(losses) / (len(losses) + FIRST_TRIALS)
    return max(weight * _rank_correlation(study.of(seen), losses) + (1 - weight) * FIRST_TRUST, 0.0)


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's coefficient, 0 where either does not vary."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def processes(study: StudyView, cube: Cube) -> list[tuple[EarlierStudy, Earlier]]:
    """Return the earlier studies that have something to tell, and their processes: a shared column, and losses that differ."""
    most = max(MOST_TOLD // max(len(study.earlier), 1), LEAST_TOLD)
    encoded = [(each, cube.encode(each.candidates)) for each in study.earlier if each.losses]
    told = [(each, units, warp(np.array(each.losses), branch_weights(units))) for each, units in encoded]
    kept = [(each, thinned(values, most), units, values) for each, units, values in told]
    return [
        (each, _process(cube.columns, units[rows].tobytes(), values[rows].tobytes(), study.seed))
        for each, rows, units, values in kept
        if np.isfinite(units).any() and values.any()
    ]


@lru_cache(maxsize=16)
def _process(columns: tuple[Column, ...], units: bytes, values: bytes, seed: int) -> Earlier:
    levels = np.frombuffer(values)
    rows = np.frombuffer(units).reshape(len(levels), len(columns))
    ((kernel, _),) = fitted(columns, rows, levels, seed, (0.0,))
    return Earlier(known_of(rows, columns), Posterior(kernel, features(rows, columns), levels))
