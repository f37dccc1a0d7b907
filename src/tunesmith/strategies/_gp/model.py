"""A Gaussian process: hyperparameters at their most probable values, predictions.

Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, algorithm 2.1 and chapter 5; lengths whose prior grows
with the dimension: Hvarfner et al., "Vanilla Bayesian Optimization Performs Great in High Dimensions", 2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import LinAlgError, get_lapack_funcs, solve_triangular
from scipy.optimize import minimize

from tunesmith.strategies._gp.kernel import Features, Kernel, Pairs, Together

ITERATIONS = 40
# Beside what is told: the variance of an unknown level, and how far it is followed before anything is known.
LEVEL = 4.0
FOLLOWED = 0.7

# LAPACK itself, since what SciPy puts around it takes longer than a small matrix does.
potrf, potri, potrs = get_lapack_funcs(("potrf", "potri", "potrs"))

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


def fit(pairs: Pairs, values: np.ndarray, rng: np.random.Generator, prior: Prior, told: Sequence[Told] = ()) -> Fitted:
    """Return the kernel of what the values have of their own, and how far they follow each of what is told beforehand.

    Both are the most probable, of two starts.

    pairs: of the n candidates. prior: of the kernel's hyperparameters. told: means and covariances, (n), (n, n), of other
    functions at these candidates; a multiple of each is part of the values.
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
            (pairs, values, prior, told),
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            options={"maxiter": ITERATIONS},
        )
        for start in starts
    ]
    best = min(found, key=lambda result: result.fun).x
    own = len(best) - len(told)
    return Kernel(best[:own], pairs.squares.shape[1]), best[own:]


def _surprise(
    point: np.ndarray, pairs: Pairs, values: np.ndarray, prior: Prior, told: Sequence[Told] = ()
) -> tuple[float, np.ndarray]:
    """Return the negative log posterior of theta and what follows it, up to a constant, and its gradient."""
    theta, follows = point[: len(point) - len(told)], point[len(point) - len(told) :]
    kernel = Kernel(theta, pairs.squares.shape[1])
    covariances, steep = kernel.among(pairs)
    upper = np.zeros((pairs.size, pairs.size))
    upper.ravel()[pairs.places] = covariances
    np.fill_diagonal(upper, kernel.variance + kernel.noise)
    left = values
    for follow, (mean, spread) in zip(follows, told, strict=True):
        upper, left = upper + follow**2 * spread, left - follow * mean
    try:
        factor = _factor(upper.T + LEVEL if told else upper.T)
    except LinAlgError:
        return 1e10, np.zeros_like(point)
    weights, log_root = potrs(factor, left, lower=1)[0], np.log(np.diag(factor)).sum()
    inverse = potri(factor, lower=1, overwrite_c=1)[0].T
    pull = np.take(inverse, pairs.places) - weights[pairs.first] * weights[pairs.second]
    own_pull = np.trace(inverse) - weights @ weights
    pulled = pull * covariances
    gradient = np.concatenate(
        [
            (pull * steep) @ pairs.squares * kernel.inverse_squares,
            -(pulled @ pairs.differing) * kernel.weights,
            [pulled.sum() + 0.5 * own_pull * kernel.variance, 0.5 * own_pull * np.exp(theta[-1])],
            [_pull_of(follow, each, inverse, weights) for follow, each in zip(follows, told, strict=True)],
        ]
    )
    away = (point - prior.mean) / prior.deviation
    surprise = 0.5 * left @ weights + log_root + 0.5 * away @ away
    return float(surprise), gradient + away / prior.deviation


def _pull_of(follow: float, told: Told, inverse: np.ndarray, weights: np.ndarray) -> float:
    """Return the gradient by how far what is told is followed; `inverse`: its upper triangle alone."""
    mean, spread = told
    whole = 2 * (inverse * spread).sum() - np.diag(inverse) @ np.diag(spread)
    return float(follow * (whole - weights @ spread @ weights) - mean @ weights)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """Return the lower triangle of Cholesky's factor, in place of a matrix in Fortran's order; raises LinAlgError."""
    factor, failed = potrf(covariance, lower=1, clean=1, overwrite_a=1)
    if failed:
        raise LinAlgError("a covariance is not positive definite")
    return factor


class Given:
    """A normal vector of which noisy values are known: the linear algebra of every process.

    covariance: n x n, with the noise. values: shape (n,).
    """

    def __init__(self, covariance: np.ndarray, values: np.ndarray) -> None:
        self.factor = _factor(covariance)
        self.weights = self._solve(values)

    def _solve(self, right: np.ndarray) -> np.ndarray:
        return potrs(self.factor, right, lower=1)[0]

    def surprises(self) -> np.ndarray:
        """Return how improbable each value is to a process that knows all others: negative log densities, shape (n,).

        Rasmussen & Williams, section 5.4.2.
        """
        precisions = np.diag(potri(self.factor, lower=1)[0])
        return 0.5 * (self.weights**2 / precisions - np.log(precisions) + np.log(2 * np.pi))

    def spread(self, cross: np.ndarray) -> np.ndarray:
        """Return what of m candidates the values explain; n x m, its columns' products are covariances explained."""
        return solve_triangular(self.factor, cross.T, lower=True, check_finite=False)

    def predict(self, cross: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations of m candidates, whose covariances with the values are m x n."""
        left = variance - (self.spread(cross) ** 2).sum(0)
        return cross @ self.weights, np.sqrt(np.maximum(left, 1e-10))

    def slope(self, cross: np.ndarray, change: np.ndarray, variance: float) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Return mean and deviation of one candidate, and their gradients; cross: (n,), change: its gradients, n x p."""
        solved = self._solve(cross)
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
        return self.given.slope(*self.kernel.slope(one, self.seen), self.kernel.variance)
