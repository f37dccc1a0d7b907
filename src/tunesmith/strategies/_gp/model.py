"""A Gaussian process: hyperparameters at their most probable values, predictions, expected improvement.

Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, algorithm 2.1 and chapter 5; lengths whose prior grows
with the dimension: Hvarfner et al., "Vanilla Bayesian Optimization Performs Great in High Dimensions", 2024.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import erfcx, ndtr

from tunesmith.strategies._gp.kernel import ROOT5, Features, Kernel

ROOT_2PI = np.sqrt(2 * np.pi)
ITERATIONS = 40


@dataclass(frozen=True)
class Prior:
    """Independent normal priors of theta."""

    mean: np.ndarray
    deviation: np.ndarray
    low: np.ndarray
    high: np.ndarray


def prior_of(numbers: int, categories: int, shift: float = 0.0) -> Prior:
    """Return the prior of theta for so many numbers and categories; `shift` > 0 expects a smoother function."""
    length = np.log(0.5) + 0.35 * np.log(max(numbers + categories, 1)) + shift
    weight = -0.3 * np.log(max(categories, 1)) - shift
    parts = [(numbers, length, 1.0, -5.0, 4.0), (categories, weight, 1.2, -7.0, 4.0)]
    parts += [(1, 0.0, 0.7, -4.0, 4.0), (1, np.log(1e-3), 2.0, -14.0, 1.0)]
    mean, deviation, low, high = (np.concatenate([np.full(part[0], part[i]) for part in parts]) for i in range(1, 5))
    return Prior(mean, deviation, low, high)


def fit(seen: Features, values: np.ndarray, rng: np.random.Generator, shift: float = 0.0) -> Kernel:
    """Return the kernel whose theta is the most probable, of two starts."""
    numbers = seen.numbers.shape[1]
    prior = prior_of(numbers, len(seen.groups), shift)
    starts = [prior.mean, prior.mean + 0.5 * rng.normal(size=len(prior.mean))]
    bounds = list(zip(prior.low, prior.high, strict=True))
    found = [
        minimize(
            _surprise,
            np.clip(start, prior.low, prior.high),
            (seen, values, prior),
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            options={"maxiter": ITERATIONS},
        )
        for start in starts
    ]
    return Kernel(min(found, key=lambda result: result.fun).x, numbers)


def _surprise(theta: np.ndarray, seen: Features, values: np.ndarray, prior: Prior) -> tuple[float, np.ndarray]:
    """Return the negative log posterior of theta, up to a constant, and its gradient."""
    kernel = Kernel(theta, seen.numbers.shape[1])
    r, near, alike = kernel.parts(seen, seen)
    covariance = kernel.variance * near * alike
    try:
        factor = cho_factor(covariance + kernel.noise * np.eye(len(seen)), lower=True)
    except LinAlgError:
        return 1e10, np.zeros_like(theta)
    inverse = cho_solve(factor, np.eye(len(seen)))
    weights = inverse @ values
    pull = inverse - np.outer(weights, weights)
    slope = pull * kernel.variance * alike * (5 / 3) * (1 + ROOT5 * r) * np.exp(-ROOT5 * r)
    gradient = 0.5 * np.concatenate(
        [
            _by_numbers(slope, seen.numbers) * kernel.inverse_squares,
            -_by_categories(pull * covariance, seen) * np.exp(theta[kernel.numbers : -2]),
            [(pull * covariance).sum(), np.trace(pull) * np.exp(theta[-1])],
        ]
    )
    away = (theta - prior.mean) / prior.deviation
    surprise = 0.5 * values @ weights + np.log(np.diag(factor[0])).sum() + 0.5 * away @ away
    return float(surprise), gradient + away / prior.deviation


def _by_numbers(slope: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the sum over all pairs of slope times the squared difference, one per number."""
    return 2 * ((numbers**2).T @ slope.sum(1) - (numbers * (slope @ numbers)).sum(0))


def _by_categories(slope: np.ndarray, seen: Features) -> np.ndarray:
    """Return the sum over all pairs that differ of slope, one per category."""
    alike = (seen.options * (slope @ seen.options)).sum(0)
    return slope.sum() - seen.groups @ alike if len(seen.groups) else np.zeros(0)


class Posterior:
    """What the process expects after it has seen some values."""

    def __init__(self, kernel: Kernel, seen: Features, values: np.ndarray) -> None:
        self.kernel, self.seen = kernel, seen
        covariance = kernel.between(seen, seen)
        self.factor = cho_factor(covariance + kernel.noise * np.eye(len(seen)), lower=True)
        self.weights = cho_solve(self.factor, values)
        self.means = values - kernel.noise * self.weights

    def predict(self, asked: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations of the function, without noise."""
        covariance = self.kernel.between(asked, self.seen)
        spread = solve_triangular(self.factor[0], covariance.T, lower=True)
        variance = self.kernel.variance - (spread**2).sum(0)
        return covariance @ self.weights, np.sqrt(np.maximum(variance, 1e-10))

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Return mean and deviation at one candidate, and their gradients by its numbers."""
        one = Features(numbers[None, :], options[None, :], self.seen.groups)
        r, near, alike = (part[0] for part in self.kernel.parts(one, self.seen))
        covariance = self.kernel.variance * near * alike
        steep = -self.kernel.variance * alike * (5 / 3) * (1 + ROOT5 * r) * np.exp(-ROOT5 * r)
        change = steep[:, None] * (numbers - self.seen.numbers) * self.kernel.inverse_squares
        solved = cho_solve(self.factor, covariance)
        deviation = float(np.sqrt(max(self.kernel.variance - covariance @ solved, 1e-10)))
        return float(covariance @ self.weights), deviation, change.T @ self.weights, -(change.T @ solved) / deviation


def log_improvement(best: float, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return the logarithm of the expected improvement below `best` (Ament et al., 2023), exact where it is tiny."""
    z = (best - mean) / deviation
    return np.log(deviation) + _log_h(z)


def _log_h(z: np.ndarray) -> np.ndarray:
    """Return log(phi(z) + z Phi(z)); far below 0 by the scaled complementary error function, then by its series."""
    near = np.maximum(z, -1.0)
    direct = np.log(np.exp(-0.5 * near**2) / ROOT_2PI + near * ndtr(near))
    far = np.clip(z, -1e3, -1.0)
    mills = 1 + far * np.sqrt(np.pi / 2) * erfcx(-far / np.sqrt(2))
    series = -2 * np.log(np.maximum(-z, 1.0))
    tail = -0.5 * z**2 - np.log(ROOT_2PI) + np.where(z > -1e3, np.log(np.maximum(mills, 1e-300)), series)
    return np.where(z > -1.0, direct, tail)
