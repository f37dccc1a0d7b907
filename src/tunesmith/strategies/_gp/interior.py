"""How likely the best candidate is to lie at the ends of its numbers' ranges: less than inside, unless trials show otherwise.

A process is least sure in the corners of the cube, where trials are on one side only, and of many dimensions nearly all of the
cube is corners: expected improvement alone looks into them one after the other (Siivola et al., "Correcting boundary
over-exploration deficiencies in Bayesian optimization with virtual derivative sign observations", 2018). So it is weighed by a
prior of where the best lies (as Hvarfner et al., "pi-BO: Augmenting acquisition functions with user beliefs for the optimum",
2022, weigh by a user's): a symmetric beta density, bounded at the ends, so that what trials show there is not overruled.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import betaln

from tunesmith.strategies._gp.cube import Column
from tunesmith.strategies._gp.kernel import CENTRE, Features, numbers_of

# The density is as (4 u (1 - u)) ** POWER; nearer to an end than FLOOR it is as at FLOOR.
POWER, FLOOR = 0.3, 0.002
# So many of the best trials are asked whether they lie within so much of an end.
BEST, NEAR = 5, 0.05
# Where values reach this far an end has a share of the cube like any other plateau.
FAR = 0.1


@dataclass(frozen=True)
class Interior:
    """The prior of where the best lies; the powers of the lower and of the upper half of each number, shape (p,)."""

    low: np.ndarray
    high: np.ndarray

    def of(self, asked: Features) -> np.ndarray:
        """Return the logarithms of the candidates' densities, 0 where all is as likely; shape (n,)."""
        return self._log_density(np.clip(asked.numbers, FLOOR, 1 - FLOOR))

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the same of one candidate, and its gradient by the numbers; the options do not matter."""
        inside = np.clip(numbers, FLOOR, 1 - FLOOR)
        steep = np.where(inside == numbers, self._powers(inside) * (1 / inside - 1 / (1 - inside)), 0.0)
        return float(self._log_density(inside)), steep

    def _log_density(self, inside: np.ndarray) -> np.ndarray:
        shape = self._powers(inside) * np.log(4 * inside * (1 - inside))
        # Inactive numbers are at the centre: without them a candidate is as likely as the mean over all that they could be.
        return np.where(inside == CENTRE, 0.0, shape - self._log_masses).sum(axis=-1)

    @cached_property
    def _log_masses(self) -> np.ndarray:
        """The logarithms of what each number's density would come to without being brought to 1; shape (p,)."""
        halves = [power * np.log(4) + betaln(1 + power, 1 + power) for power in (self.low, self.high)]
        return np.logaddexp(*halves) - np.log(2)

    def _powers(self, inside: np.ndarray) -> np.ndarray:
        return np.where(inside < 0.5, self.low, self.high)


def interior_of(columns: tuple[Column, ...], best: Features, reach: float) -> Interior:
    """Return the prior for these columns; `best`: the trials, the best first, which may show that an end is good.

    Numbers on a grid are left as they are: that the first of a few values is the best is nothing unusual. reach: how far a
    trial's value reaches (`plateaus.reach_of`); where that is far, the ends are as likely as anything else.
    """
    continua = np.array([columns[j].grid is None and not columns[j].trait for j in numbers_of(columns)], dtype=bool)
    power = POWER * max(1 - reach / FAR, 0.0)
    low, high = (np.where(continua, power * (1 - _share(away)), 0.0) for away in (best.numbers, 1 - best.numbers))
    return Interior(low, high)


def _share(away: np.ndarray) -> np.ndarray:
    return np.sum(away[:BEST] < NEAR, axis=0) / BEST
