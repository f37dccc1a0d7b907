"""Where a candidate is likely to come to exactly what the trial beside it came to, so that it would tell nothing.

Losses repeat where parameters are rounded or of no effect, or where a loss saturates; a process takes that for a flat stretch
whose best is worth another look. How far values reach is learned from the trials: from which of them came to exactly the loss
of the nearest one before.
"""

from dataclasses import dataclass

import numpy as np

from tunesmith.strategies._gp.kernel import Features, squared_distances

REACHES = np.geomspace(1e-3, 10.0, 60)
# Nearer than this a candidate counts as being this far away.
NEAREST = 1e-6


@dataclass(frozen=True)
class Plateaus:
    """Trials, ended and running, and the reach of their values: exp(-distance / reach) is the chance to meet one again."""

    known: Features
    reach: float

    def of(self, asked: Features) -> np.ndarray:
        """Return the logarithms of the candidates' chances of another value than the nearest trial's; shape (n,)."""
        if not self.reach:
            return np.zeros(len(asked))
        return _log_chance(_distances(asked, self.known).min(axis=1), self.reach)

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the same of one candidate, and its gradient by the numbers."""
        if not self.reach:
            return 0.0, np.zeros_like(numbers)
        away = _distances(self.known.like(numbers, options), self.known)[0]
        nearest = int(away.argmin())
        distance = max(float(away[nearest]), NEAREST)
        steep = 1.0 / (self.reach * np.expm1(distance / self.reach)) if distance < 100 * self.reach else 0.0
        return float(_log_chance(distance, self.reach)), steep * (numbers - self.known.numbers[nearest]) / distance


def reach_of(seen: Features, losses: np.ndarray) -> float:
    """Return the reach that makes the trials that repeat a loss the most probable, 0 where none does; NaN: a failed trial."""
    ended = np.flatnonzero(np.isfinite(losses))
    if len(ended) < 2:
        return 0.0
    among, found = seen.at(ended), losses[ended]
    distances = _distances(among, among)
    distances[np.triu_indices(len(ended))] = np.inf
    before = distances[1:].argmin(axis=1)
    repeated = found[1:] == found[before]
    if not repeated.any():
        return 0.0
    away = np.maximum(distances[1:].min(axis=1), NEAREST)[None, :]
    each = np.where(repeated, -away / REACHES[:, None], _log_chance(away, REACHES[:, None]))
    return float(REACHES[each.sum(axis=1).argmax()])


def _log_chance(distance: np.ndarray | float, reach: np.ndarray | float) -> np.ndarray:
    # A chance that rounds to none has a logarithm that a sum can still bear.
    return np.log(np.maximum(-np.expm1(-np.maximum(distance, NEAREST) / reach), 1e-300))


def _distances(a: Features, b: Features) -> np.ndarray:
    """Return a x b distances in the unit cube; a category that differs is as far as a number's whole range."""
    differing = len(a.groups) - a.options @ b.options.T
    return np.sqrt(squared_distances(a.numbers, b.numbers) + differing)
