"""A Gaussian process: hyperparameters at their most probable values, predictions.

Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, algorithm 2.1 and chapter 5; lengths whose prior grows
with the dimension: Hvarfner et al., "Vanilla Bayesian Optimization Performs Great in High Dimensions", 2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

from tunesmith.strategies._gp.kernel import ROOT5, Features, Kernel, Together

ITERATIONS = 40
# Beside what is told: the variance of an unknown level, and how far it is followed before anything is known.
LEVEL = 4.0
FOLLOWED = 0.7

# Means (n,) and covariances (n, n) of a function at n candidates.
Told = tuple[np.ndarray, np.ndarray]
# A kernel, and how far its values follow each of what was told.
Fitted = tuple[Kernel, np.ndarray]


class Teller(Protocol):
    """What knows of a function beforehand."""

    def foretold(self, asked: Features) -> Told:
        """Return what it expects of candidates."""
        ...


@dataclass(frozen=True)
class Prior:
    """Independent normal priors of theta."""

    mean: np.ndarray
    deviation: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def joined(self, count: int, mean: float, deviation: float, low: float, high: float) -> "Prior":
        """Return the priors of these and of `count` more."""
        ours = (self.mean, self.deviation, self.low, self.high)
        further = (np.full(count, value) for value in (mean, deviation, low, high))
        return Prior(*(np.concatenate(pair) for pair in zip(ours, further, strict=True)))


def prior_of(dimensions: Together, shift: float = 0.0) -> Prior:
    """Return the prior of theta; `shift` > 0 expects a smoother function.

    The dimension that lengths grow with is that of the branch in which a parameter is active: what other branches add to the
    space says nothing of it.
    """
    lengths = np.log(0.5) + 0.35 * np.log(dimensions.numbers) + shift
    weights = -0.3 * np.log(dimensions.categories) - shift
    parts = [(lengths, 1.0, -5.0, 4.0), (weights, 1.2, -7.0, 4.0)]
    parts += [(np.zeros(1), 0.7, -4.0, 4.0), (np.log([1e-3]), 2.0, -14.0, 1.0)]
    mean, deviation, low, high = (np.concatenate([np.zeros(len(part[0])) + part[i] for part in parts]) for i in range(4))
    return Prior(mean, deviation, low, high)


def fit(seen: Features, values: np.ndarray, rng: np.random.Generator, prior: Prior, told: Sequence[Told] = ()) -> Fitted:
    """Return the kernel of what the values have of their own, and how far they follow each of what is told beforehand.

    Both are the most probable, of two starts.

    prior: of the kernel's hyperparameters. told: means and covariances, (n), (n, n), of other functions at these candidates; a
    multiple of each is part of the values.
    Kennedy & O'Hagan, "Predicting the output from a complex computer code when fast approximations are available", 2000,
    section 2; a further level is as likely as any.
    """
    prior = prior.joined(len(told), FOLLOWED / max(len(told), 1) ** 0.5, 0.5, 0.0, 2.5)
    starts = [prior.mean, prior.mean + 0.5 * rng.normal(size=len(prior.mean))]
    starts[1][len(prior.mean) - len(told) :] = 0.1
    bounds = list(zip(prior.low, prior.high, strict=True))
    found = [
        minimize(
            _surprise,
            np.clip(start, prior.low, prior.high),
            (seen, values, prior, told),
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            options={"maxiter": ITERATIONS},
        )
        for start in starts
    ]
    best = min(found, key=lambda result: result.fun).x
    own = len(best) - len(told)
    return Kernel(best[:own], lengths_of(seen)), best[own:]


def _surprise(
    point: np.ndarray, seen: Features, values: np.ndarray, prior: Prior, told: Sequence[Told] = ()
) -> tuple[float, np.ndarray]:
    """Return the negative log posterior of theta and what follows it, up to a constant, and its gradient."""
    theta, follows = point[: len(point) - len(told)], point[len(point) - len(told) :]
    kernel = Kernel(theta, lengths_of(seen))
    r, near, alike = kernel.parts(seen, seen)
    covariance = kernel.variance * near * alike
    total = covariance + kernel.noise * np.eye(len(seen)) + (LEVEL if told else 0.0)
    left = values
    for follow, (mean, spread) in zip(follows, told, strict=True):
        total, left = total + follow**2 * spread, left - follow * mean
    try:
        factor = cho_factor(total, lower=True)
    except LinAlgError:
        return 1e10, np.zeros_like(point)
    inverse = cho_solve(factor, np.eye(len(seen)))
    weights = inverse @ left
    pull = inverse - np.outer(weights, weights)
    slope = pull * kernel.variance * alike * (5 / 3) * (1 + ROOT5 * r) * np.exp(-ROOT5 * r)
    gradient = 0.5 * np.concatenate(
        [
            _by_scales(slope, seen) * kernel.inverse_squares,
            -_by_categories(pull * covariance, seen) * np.exp(theta[kernel.lengths : -2]),
            [(pull * covariance).sum(), np.trace(pull) * np.exp(theta[-1])],
            [2 * (f * (pull * spread).sum() - mean @ weights) for f, (mean, spread) in zip(follows, told, strict=True)],
        ]
    )
    away = (point - prior.mean) / prior.deviation
    surprise = 0.5 * left @ weights + np.log(np.diag(factor[0])).sum() + 0.5 * away @ away
    return float(surprise), gradient + away / prior.deviation


def lengths_of(seen: Features) -> int:
    """Return how many lengths a kernel of these features has."""
    return int(seen.scales.max(initial=-1)) + 1


def _by_scales(slope: np.ndarray, seen: Features) -> np.ndarray:
    """Return the sum over all pairs of slope times the squared difference, one per scale."""
    numbers = seen.numbers
    each = 2 * ((numbers**2).T @ slope.sum(1) - (numbers * (slope @ numbers)).sum(0))
    return np.bincount(seen.scales, each, lengths_of(seen))


def _by_categories(slope: np.ndarray, seen: Features) -> np.ndarray:
    """Return the sum over all pairs that differ of slope, one per category."""
    alike = (seen.options * (slope @ seen.options)).sum(0)
    return slope.sum() - seen.groups @ alike if len(seen.groups) else np.zeros(0)


class Given:
    """A normal vector of which noisy values are known: the linear algebra of every process.

    covariance: n x n, with the noise. values: shape (n,).
    """

    def __init__(self, covariance: np.ndarray, values: np.ndarray) -> None:
        self.factor = cho_factor(covariance, lower=True)
        self.weights = cho_solve(self.factor, values)

    def surprises(self) -> np.ndarray:
        """Return how improbable each value is to a process that knows all others: negative log densities, shape (n,).

        Rasmussen & Williams, section 5.4.2.
        """
        precisions = np.diag(cho_solve(self.factor, np.eye(len(self.weights))))
        return 0.5 * (self.weights**2 / precisions - np.log(precisions) + np.log(2 * np.pi))

    def spread(self, cross: np.ndarray) -> np.ndarray:
        """Return what of m candidates the values explain; n x m, its columns' products are covariances explained."""
        return solve_triangular(self.factor[0], cross.T, lower=True)

    def predict(self, cross: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations of m candidates, whose covariances with the values are m x n."""
        left = variance - (self.spread(cross) ** 2).sum(0)
        return cross @ self.weights, np.sqrt(np.maximum(left, 1e-10))

    def slope(self, cross: np.ndarray, change: np.ndarray, variance: float) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Return mean and deviation of one candidate, and their gradients; cross: (n,), change: its gradients, n x p."""
        solved = cho_solve(self.factor, cross)
        deviation = float(np.sqrt(max(variance - cross @ solved, 1e-10)))
        return float(cross @ self.weights), deviation, change.T @ self.weights, -(change.T @ solved) / deviation


class Posterior:
    """What the process expects after it has seen some values."""

    def __init__(self, kernel: Kernel, seen: Features, values: np.ndarray) -> None:
        self.kernel, self.seen, self.values = kernel, seen, values
        self.given = Given(kernel.between(seen, seen) + kernel.noise * np.eye(len(seen)), values)
        self.means = values - kernel.noise * self.given.weights

    def predict(self, asked: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations of the function, without noise."""
        return self.given.predict(self.kernel.between(asked, self.seen), self.kernel.variance)

    def foretold(self, asked: Features) -> Told:
        """Return means and covariances of the function."""
        cross = self.kernel.between(asked, self.seen)
        spread = self.given.spread(cross)
        return cross @ self.given.weights, self.kernel.between(asked, asked) - spread.T @ spread

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Return mean and deviation at one candidate, and their gradients by its numbers."""
        one = self.seen.like(numbers, options)
        cross, change = self.kernel.between(one, self.seen)[0], self.kernel.change(one, self.seen)
        return self.given.slope(cross, change, self.kernel.variance)
