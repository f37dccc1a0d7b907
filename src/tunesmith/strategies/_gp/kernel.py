"""The covariance of candidates: Matern 5/2 over numbers, each on a scale of its own, times a decay per differing category.

Notation:
    x, c     features of candidates: numbers n x p, those of parameters in [0, 1]; options n x m, zeros and ones
    theta    logarithms: lengths of the scales (s <= p), weights of the categories (q), variance, noise
    r        distances of the scaled numbers
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tunesmith.strategies._gp.cube import Column

ROOT5 = np.sqrt(5.0)
# Added to squared distances, whose root has no slope at 0.
LEAST_SQUARE = 1e-12
# What a number is taken for where it is inactive.
CENTRE = 0.5


@dataclass(frozen=True)
class Features:
    """Candidates as the kernel sees them.

    groups: q x m, which options belong to which category. scales: (p), the place of the length by which each number is divided.
    """

    numbers: np.ndarray
    options: np.ndarray
    groups: np.ndarray
    scales: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, rows: np.ndarray) -> "Features":
        """Return some of the candidates."""
        return replace(self, numbers=self.numbers[rows], options=self.options[rows])

    def joined(self, other: "Features") -> "Features":
        """Return these candidates and then others."""
        options = np.vstack([self.options, other.options])
        return replace(self, numbers=np.vstack([self.numbers, other.numbers]), options=options)

    def like(self, numbers: np.ndarray, options: np.ndarray) -> "Features":
        """Return one other candidate of the same space."""
        return replace(self, numbers=numbers[None, :], options=options[None, :])


def features(units: np.ndarray, columns: tuple[Column, ...]) -> Features:
    """Return the features of n x d units: an inactive category is an option of its own; what traits tell is left out."""
    numbers = numbers_of(columns)
    categories = categories_of(columns)
    blocks = [_indicators(units[:, j], columns[j].options) for j in categories]
    widths = [block.shape[1] for block in blocks]
    options = np.hstack(blocks) if blocks else np.zeros((len(units), 0))
    groups = np.repeat(np.eye(len(categories)), widths, axis=1) if blocks else np.zeros((0, 0))
    found = units[:, numbers]
    return Features(np.where(np.isnan(found), CENTRE, found), options, groups, _scales([columns[j] for j in numbers]))


def numbers_of(columns: tuple[Column, ...]) -> list[int]:
    """Return the places of the columns that a kernel takes as numbers."""
    return [j for j, column in enumerate(columns) if not column.options and not column.told]


def categories_of(columns: tuple[Column, ...]) -> list[int]:
    """Return the places of the columns that a kernel takes as options without an order."""
    return [j for j, column in enumerate(columns) if column.options and not column.told]


def _scales(columns: Sequence[Column]) -> np.ndarray:
    """Return the scale of each column: one of its own for a parameter, one in common for all traits of a kind."""
    places: dict[object, int] = {}
    return np.array([places.setdefault(column.trait or column, len(places)) for column in columns], dtype=int)


def _membership(scales: np.ndarray) -> np.ndarray:
    """Return which of p numbers has which of s scales; p x s, ones and zeros."""
    return np.eye(scales.max(initial=-1) + 1)[scales]


@dataclass(frozen=True)
class Together:
    """How many parameters each parameter is active together with, itself included; means over the candidates that have it.

    numbers: shape (s), one per scale, of all parameters. categories: shape (q), of the categories alone.
    """

    numbers: np.ndarray
    categories: np.ndarray


def together(units: np.ndarray, columns: tuple[Column, ...]) -> Together:
    """Return the same of the candidates of n x d units, n > 0."""
    numbers = numbers_of(columns)
    known = np.isfinite(units)
    scales = _scales([columns[j] for j in numbers])
    by_scale, by_category = known[:, numbers] @ _membership(scales) > 0, known[:, categories_of(columns)]
    categories = by_category.sum(axis=1)
    return Together(_mean_where(by_scale, by_scale.sum(axis=1) + categories), _mean_where(by_category, categories))


def _mean_where(active: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mean count over the rows in which each of n x k columns is active, over all where none is; at least 1."""
    rows = active.sum(axis=0)
    means = np.where(rows > 0, active.T @ counts / np.maximum(rows, 1), counts.mean())
    return np.maximum(means, 1.0)


def _indicators(units: np.ndarray, options: int) -> np.ndarray:
    inactive = np.isnan(units)
    position = np.where(inactive, options, np.floor(np.nan_to_num(units) * options)).astype(int)
    return np.eye(options + 1)[position]


@dataclass(frozen=True)
class Pairs:
    """How far candidates are apart, two by two: what does not change while a kernel is fitted.

    squares: pairs x s, squared differences of the numbers, summed by scale. differing: pairs x q, 1 where a category differs.
    first, second: which two candidates, so that first < second. size: how many candidates there are.
    """

    squares: np.ndarray
    differing: np.ndarray
    first: np.ndarray
    second: np.ndarray
    size: int

    @cached_property
    def places(self) -> np.ndarray:
        """Where a size x size matrix, row by row, holds each pair; all are above the diagonal."""
        return self.first * self.size + self.second


def pairs_of(seen: Features) -> Pairs:
    """Return all pairs of candidates."""
    first, second = np.triu_indices(len(seen), 1)
    squares = (seen.numbers[first] - seen.numbers[second]) ** 2 @ _membership(seen.scales)
    differing = 1.0 - (seen.options[first] * seen.options[second]) @ seen.groups.T
    return Pairs(squares, differing, first, second, len(seen))


@dataclass(frozen=True)
class Kernel:
    """A covariance with its hyperparameters."""

    theta: np.ndarray
    lengths: int

    @property
    def variance(self) -> float:
        """The variance of the function."""
        return float(np.exp(self.theta[-2]))

    @property
    def noise(self) -> float:
        """The variance of an observation; a little is always there, or a matrix could not be inverted."""
        return float(np.exp(self.theta[-1])) + 1e-6

    @property
    def weights(self) -> np.ndarray:
        """How much a difference in each category decays, shape (q,)."""
        return np.exp(self.theta[self.lengths : -2])

    @property
    def inverse_squares(self) -> np.ndarray:
        """The inverse squares of the lengths, one per scale."""
        return np.exp(-2.0 * self.theta[: self.lengths])

    def between(self, a: Features, b: Features) -> np.ndarray:
        """Return the a x b covariances."""
        scale = np.exp(-self.theta[: self.lengths])[a.scales]
        r = np.sqrt(squared_distances(a.numbers * scale, b.numbers * scale) + LEAST_SQUARE)
        return self._at_zero(a, b) * _matern(r)[0]

    def _at_zero(self, a: Features, b: Features) -> np.ndarray:
        """Return the covariances at r = 0, which categories alone decide; a x b, or 1 x 1 where there are none."""
        if not len(self.weights):
            return np.array([[self.variance]])
        return self.variance * np.exp((a.options * (self.weights @ a.groups)) @ b.options.T - self.weights.sum())

    def among(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """Return the covariances of pairs, and their slopes by half a squared, scaled distance, but for the sign."""
        near, steep = _matern(np.sqrt(pairs.squares @ self.inverse_squares + LEAST_SQUARE))
        at_zero = self.variance * np.exp(-(pairs.differing @ self.weights))
        return at_zero * near, at_zero * steep

    def slope(self, one: Features, others: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return one candidate's covariances with n others, and their gradients by its numbers; shapes (n,), (n, p)."""
        away = one.numbers - others.numbers
        squares = self.inverse_squares[one.scales]
        near, steep = _matern(np.sqrt(away**2 @ squares + LEAST_SQUARE))
        at_zero = self._at_zero(one, others)[0]
        return at_zero * near, -(at_zero * steep)[:, None] * away * squares


def _matern(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Matern 5/2 of scaled distances, and its slope by half a squared distance, but for the sign."""
    z = ROOT5 * r
    decay = np.exp(-z)
    risen = (1 + z) * decay
    return risen + z**2 / 3 * decay, 5 / 3 * risen


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the squared distances of the rows of a and of b; a x b."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
    return np.maximum(squares, 0.0)
