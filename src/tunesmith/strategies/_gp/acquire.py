"""Looks for the candidate with the greatest expected improvement: a wide look, then steps that shrink, then gradients.

A mixed space has no gradient across its options, so candidates are moved a parameter or a few at a time around the best known
ones (as SMAC's local search does), and numbers are polished by L-BFGS with the options held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr

from tunesmith.strategies._gp.cube import Cube
from tunesmith.strategies._gp.improvement import ROOT_2PI, log_improvement
from tunesmith.strategies._gp.kernel import Features, features, numbers_of


@dataclass(frozen=True)
class Effort:
    """How hard to look: rows at random, moved copies of each good trial, rounds of smaller and smaller steps, polished rows."""

    random: int = 600
    copies: int = 48
    good: int = 6
    steps: tuple[float, ...] = (0.15, 0.08, 0.04, 0.02, 0.01, 0.005)
    kept: int = 12
    moved: int = 10
    polished: int = 4


# For a space whose every candidate costs a call of the user's code.
SPARING = Effort(random=12, copies=4, good=2, steps=(), polished=0)


class Process(Protocol):
    """What is expected of candidates, and how surely."""

    def predict(self, asked: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations; shapes (n,)."""
        ...

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Return mean and deviation at one candidate, and their gradients by its numbers."""
        ...


class Chance(Protocol):
    """How likely candidates are to be worth a trial, for reasons that no process knows."""

    def of(self, asked: Features) -> np.ndarray:
        """Return the logarithms of the candidates' chances, or densities; shape (n,)."""
        ...

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the same of one candidate, and its gradient by the numbers."""
        ...


class Acquisition:
    """Expected improvement over a cube, times the chances that every bound is kept (Gardner et al., 2014) and other chances.

    posteriors: of the objective, each with the value to improve upon; none where no trial has kept the bounds yet, so that the
    chances alone count. bounds: of what must not exceed 0.
    """

    def __init__(
        self, cube: Cube, posteriors: Sequence[tuple[Process, float]], bounds: Sequence[Process], chances: Sequence[Chance]
    ) -> None:
        self.cube, self.posteriors, self.bounds, self.chances = cube, posteriors, bounds, chances

    def of(self, units: np.ndarray) -> np.ndarray:
        """Return the logarithm of the expected improvement of settled rows, its mean over the posteriors."""
        asked = features(units, self.cube.columns)
        gains = [log_improvement(best, *posterior.predict(asked)) for posterior, best in self.posteriors]
        total = np.logaddexp.reduce(gains) if gains else np.zeros(len(units))
        for chance in self.chances:
            total = total + chance.of(asked)
        for bound in self.bounds:
            mean, deviation = bound.predict(asked)
            total = total + log_ndtr(-mean / deviation)
        return total

    def ranked(self, good: np.ndarray, rng: np.random.Generator, effort: Effort) -> np.ndarray:
        """Return settled rows, the most promising first; `good`: the best trials' rows, the best first."""
        rows = self._sorted(self._first(good, rng, effort))
        for step in effort.steps:
            top = rows[: effort.kept]
            rows = self._sorted(np.vstack([top, self.cube.settle(moved(self.cube, top, step, effort.moved, rng))]))
        return self._sorted(np.vstack([rows, *(self._polished(row) for row in rows[: effort.polished])]))

    def _first(self, good: np.ndarray, rng: np.random.Generator, effort: Effort) -> np.ndarray:
        wide = rng.random((effort.random, len(self.cube.columns)))
        near = [moved(self.cube, good[: effort.good], step, effort.copies // 4, rng) for step in (0.02, 0.05, 0.1, 0.2)]
        return self.cube.settle(np.vstack([wide, *near]))

    def _sorted(self, rows: np.ndarray) -> np.ndarray:
        return rows[np.argsort(-self.of(rows), kind="stable")]

    def _polished(self, row: np.ndarray) -> np.ndarray:
        """Return the row with its active numbers moved up the gradient, settled; 1 x d."""
        columns = self.cube.columns
        numbers = numbers_of(columns)
        active = np.array([np.isfinite(row[j]) and not columns[j].trait for j in numbers], dtype=bool)
        if not active.any():
            return row[None, :]
        start = features(row[None, :], columns)

        def surprise(point: np.ndarray) -> tuple[float, np.ndarray]:
            at = start.numbers[0].copy()
            at[active] = point
            value, slope = self._value_and_slope(at, start)
            return -value, -slope[active]

        bounds = [(0.0, 1.0)] * int(active.sum())
        options = {"maxiter": 20}
        found = minimize(surprise, start.numbers[0][active], jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        polished = np.where(np.isnan(row), 0.5, row)
        polished[[j for j, is_active in zip(numbers, active, strict=True) if is_active]] = found.x
        return self.cube.settle(np.clip(polished, 0.0, 1.0)[None, :])

    def _value_and_slope(self, numbers: np.ndarray, start: Features) -> tuple[float, np.ndarray]:
        options = start.options[0]
        chances = [_chance(bound, numbers, options) for bound in self.bounds]
        chances += [chance.slope(numbers, options) for chance in self.chances]
        total, slope = _improvement(self.posteriors, numbers, options) if self.posteriors else (0.0, np.zeros_like(numbers))
        return total + sum(value for value, _ in chances), slope + sum(slope for _, slope in chances)


ValueAndSlope = tuple[float, np.ndarray]


def _improvement(posteriors: Sequence[tuple[Process, float]], numbers: np.ndarray, options: np.ndarray) -> ValueAndSlope:
    """Return the log expected improvement at one candidate, its mean over the posteriors, and its gradient by the numbers."""
    told = [posterior.slope(numbers, options) for posterior, _ in posteriors]
    mean, deviation, up, wider = (np.array(parts) for parts in zip(*told, strict=True))
    best = np.array([target for _, target in posteriors])
    z, values = (best - mean) / deviation, log_improvement(best, mean, deviation)
    shares = np.exp(log_ndtr(z) - (values - np.log(deviation)))
    total = np.logaddexp.reduce(values)
    weights = np.exp(values - total) / deviation
    return float(total), (weights * (1 - shares * z)) @ wider - (weights * shares) @ up


def _chance(bound: Process, numbers: np.ndarray, options: np.ndarray) -> ValueAndSlope:
    """Return the log chance that a bound is kept at one candidate and its gradient by the numbers."""
    mean, deviation, up, wider = bound.slope(numbers, options)
    z = -mean / deviation
    value = float(log_ndtr(z))
    share = float(np.exp(-0.5 * z * z - value)) / ROOT_2PI
    return value, share * (-up - z * wider) / deviation


def moved(cube: Cube, rows: np.ndarray, step: float, copies: int, rng: np.random.Generator) -> np.ndarray:
    """Return copies of the rows, one parameter or a few of each changed; not settled, inactive columns drawn anew.

    Numbers move by a normal step, at least to the next value of their grid where nothing else moves; categories are redrawn.
    """
    # Traits follow from the parameters: they cannot be moved.
    traits = np.array([bool(column.trait) for column in cube.columns])
    source = np.repeat(np.where(traits, np.nan, rows), copies, axis=0)
    active = np.isfinite(source)
    drawn = rng.random(source.shape)
    single = rng.random(len(source)) < 0.5
    chosen = _chosen(active, single, rng)
    categories = np.array([bool(column.options) for column in cube.columns])
    redrawn = chosen & categories & (single[:, None] | (rng.random(source.shape) < 0.15))
    noise = step * rng.normal(size=source.shape)
    finest = np.array([0.0 if column.grid is None else 1.0 / len(column.grid) for column in cube.columns])
    noise = np.where(single[:, None], np.sign(noise) * np.maximum(np.abs(noise), finest), noise)
    changed = np.where(chosen & ~categories, np.clip(source + noise, 0.0, 1.0), source)
    return np.where(redrawn | ~active, drawn, changed)


def _chosen(active: np.ndarray, single: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which active columns change: one in the rows that are `single`, otherwise any number of them."""
    order = np.where(active, rng.random(active.shape), np.inf).argsort(axis=1).argsort(axis=1)
    most = 1 + np.floor(rng.random(len(active)) * active.sum(axis=1))
    return active & (order < np.where(single, 1, most)[:, None])
