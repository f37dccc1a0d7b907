"""What earlier studies lead to expect: the mean functions of their processes, weighed by how well they foretell this study.

This study's own process follows what they leave unexplained. Level and weights are the most probable ones given that process'
covariances (Rasmussen & Williams, 2006, section 2.7: basis functions) and a prior that trusts a study until trials have ended;
weights are never negative, so that a study that has nothing to do with this one falls to nothing. Other ways to weigh earlier
models: Feurer et al., "Scalable Meta-Learning for Bayesian Optimization", 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky
from scipy.optimize import lsq_linear

from tunesmith.strategies._gp.cube import Column
from tunesmith.strategies._gp.kernel import CENTRE, Features, Kernel
from tunesmith.strategies._gp.model import Posterior

# How far a weight may be off what is expected of it, before any trial has ended.
DOUBT = 0.5


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


def expectation(studies: Sequence[Earlier], kernel: Kernel, seen: Features, values: np.ndarray) -> Expectation:
    """Return what the studies lead to expect, weighed by the values seen; `kernel`: of this study's process."""
    count = len(studies)
    basis = np.column_stack([np.ones(len(seen)), *(study.of(seen) for study in studies)])
    likely = np.array([0.0] + [1.0 / count] * count)
    precision = np.diag([1.0] + [(count / DOUBT) ** 2] * count)
    factor = cho_factor(kernel.between(seen, seen) + kernel.noise * np.eye(len(seen)), lower=True)
    squares = basis.T @ cho_solve(factor, basis) + precision
    target = basis.T @ cho_solve(factor, values) + precision @ likely
    # The quadratic form's minimum, the weights kept from falling below zero.
    root = cholesky(squares)
    low = np.array([-np.inf] + [0.0] * count)
    level, *weights = lsq_linear(root, np.linalg.solve(root.T, target), bounds=(low, np.inf)).x
    return Expectation(float(level), tuple(zip(map(float, weights), studies, strict=True)))


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
