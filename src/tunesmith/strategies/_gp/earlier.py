"""What earlier studies lead to expect: the mean functions of their processes, each as far as it foretells this study's trials.

This study's own process follows what they leave unexplained. A study is weighed by the rank correlation of what its process
foretells with what came: ranks compare studies whose losses do not (as in Feurer et al., "Scalable Meta-Learning for Bayesian
Optimization", 2018), and one that has nothing to do with this study falls to nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import rankdata

from tunesmith.strategies._gp.cube import Column, Cube
from tunesmith.strategies._gp.fitting import fitted
from tunesmith.strategies._gp.kernel import CENTRE, Features, features
from tunesmith.strategies._gp.model import Posterior
from tunesmith.strategies._gp.warp import warp
from tunesmith.study import EarlierStudy, StudyView

# Before trials have ended a study is trusted so far, as if that had shown in so many of them.
FIRST_TRUST = 0.5
FIRST_TRIALS = 5


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
        return Features(numbers, np.where(self._options(asked), asked.options, _inactive(asked.groups)), asked.groups)

    def _options(self, asked: Features) -> np.ndarray:
        return self.categories @ asked.groups > 0


def _inactive(groups: np.ndarray) -> np.ndarray:
    """Return the options of a candidate with every category inactive: the last one of each group."""
    last = groups.cumsum(axis=1) == groups.sum(axis=1, keepdims=True)
    return (last & (groups > 0)).any(axis=0).astype(float)


def known_of(units: np.ndarray, columns: Sequence[Column]) -> Known:
    """Return which columns any of n x d units has."""
    there = np.asarray(np.isfinite(units).any(axis=0))
    categories = np.array([bool(column.options) for column in columns], dtype=bool)
    return Known(there[~categories], there[categories])


@dataclass(frozen=True)
class Earlier:
    """An earlier study's process."""

    known: Known
    posterior: Posterior

    def of(self, asked: Features) -> np.ndarray:
        """Return what it expects of candidates."""
        return self.posterior.predict(self.known.part(asked))[0]

    def slope(self, asked: Features) -> tuple[float, np.ndarray]:
        """Return what it expects of one candidate, and the gradient by its numbers."""
        part = self.known.part(asked)
        mean, _, gradient, _ = self.posterior.slope(part.numbers[0], part.options[0])
        return mean, np.where(self.known.numbers, gradient, 0.0)


@dataclass(frozen=True)
class Expectation:
    """A level and the weighted sum of what earlier studies' processes expect."""

    level: float = 0.0
    parts: tuple[tuple[float, Earlier], ...] = ()

    @property
    def trust(self) -> float:
        """How far the studies are trusted in all, from 0 to 1."""
        return sum(weight for weight, _ in self.parts)

    def of(self, asked: Features) -> np.ndarray:
        """Return what is expected of candidates; shape (n,)."""
        return self.level + sum((weight * earlier.of(asked) for weight, earlier in self.parts), np.zeros(len(asked)))

    def slope(self, asked: Features) -> tuple[float, np.ndarray]:
        """Return what is expected of one candidate, and the gradient by its numbers."""
        value, gradient = self.level, np.zeros(asked.numbers.shape[1])
        for weight, earlier in self.parts:
            mean, steep = earlier.slope(asked)
            value, gradient = value + weight * mean, gradient + weight * steep
        return value, gradient


def expectation(studies: Sequence[tuple[EarlierStudy, Earlier]], seen: Features, values: np.ndarray) -> Expectation:
    """Return what the studies lead to expect, each as far as the values seen show that it can be trusted."""
    trusts = [trust(process, seen, values) for _, process in studies]
    total = max(sum(trusts), 1.0)
    parts = tuple((each / total, process) for each, (_, process) in zip(trusts, studies, strict=True) if each > 0)
    level = float((values - Expectation(0.0, parts).of(seen)).mean()) if parts and len(values) else 0.0
    return Expectation(level, parts)


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
    told = [(each, cube.encode(each.candidates), warp(np.array(each.losses))) for each in study.earlier if each.losses]
    return [
        (each, _process(cube.columns, units.tobytes(), values.tobytes(), study.seed))
        for each, units, values in told
        if np.isfinite(units).any() and values.any()
    ]


@lru_cache(maxsize=16)
def _process(columns: tuple[Column, ...], units: bytes, values: bytes, seed: int) -> Earlier:
    levels = np.frombuffer(values)
    rows = np.frombuffer(units).reshape(len(levels), len(columns))
    (kernel,) = fitted(columns, rows, levels, seed, (0.0,))
    return Earlier(known_of(rows, columns), Posterior(kernel, features(rows, columns), levels))


class Shifted:
    """A process of what an expectation leaves unexplained, and the expectation."""

    def __init__(self, posterior: Posterior, expected: Expectation) -> None:
        self.posterior, self.expected = posterior, expected
        self.means = posterior.means + expected.of(posterior.seen)

    def predict(self, asked: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations of the function, without noise."""
        mean, deviation = self.posterior.predict(asked)
        return mean + self.expected.of(asked), deviation

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Return mean and deviation at one candidate, and their gradients by its numbers."""
        mean, deviation, up, wider = self.posterior.slope(numbers, options)
        value, steep = self.expected.slope(Features(numbers[None, :], options[None, :], self.posterior.seen.groups))
        return mean + value, deviation, up + steep, wider
