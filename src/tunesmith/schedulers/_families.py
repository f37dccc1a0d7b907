"""Where a learning curve will end, foretold by an ensemble of parametric families (Domhan et al., 2015).

Every family is a + b·g(step), where g falls with the steps and has one or two shape parameters: the exponential and Weibull's
curve, powers of a step that is shifted or not, log-power (the same curve as MMF), the inverse logarithm, and a constant. Shapes
are taken from a grid, and at each of them a and b have a least-squares fit in closed form: there are no starts and no local
optima, and the answer is the same everywhere. Every fit has a say by its likelihood, so that the spread of their answers is
that of the families and of the shapes which the curve leaves open.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import stdtr

Array = np.ndarray

# The most that a family has to be fitted, a, b, two shapes and the noise, and one more.
LEAST = 6
# Noise that is taken for granted, of the curve's range: else an exact fit would be the only one to be heard.
NOISE = 1e-3
# What a loss counts for: neighbouring residuals of a running best are alike, and families that all are wrong agree.
INDEPENDENT = 0.25
# Less variation of g than this along the known steps is rounding.
FLAT = 1e-12


@dataclass(frozen=True)
class Forecast:
    """What fits of a curve say of one step to come: each has a mean, a scale and a weight; arrays of one length.

    Losses are told in units of the curve's range, from the least of them on; Student's t with `freedom` is around each mean.
    """

    means: Array
    scales: Array
    weights: Array
    freedom: int
    least: float
    unit: float

    @property
    def mean(self) -> float:
        """The loss that is expected."""
        return self.least + self.unit * float(self.weights @ self.means)

    @property
    def deviation(self) -> float:
        """The standard deviation: how far the fits disagree, and what each leaves unexplained."""
        apart = (self.means - self.weights @ self.means) ** 2
        explained = self.scales**2 * self.freedom / (self.freedom - 2)
        return self.unit * math.sqrt(float(self.weights @ (explained + apart)))

    def chance(self, loss: float) -> float:
        """Return the probability that the step's loss is below `loss`."""
        with np.errstate(over="ignore"):
            asked = np.subtract(loss, self.least) / self.unit
            return float(self.weights @ stdtr(self.freedom, (asked - self.means) / self.scales))


def forecast(losses: Sequence[float], step: int) -> Forecast | None:
    """Foretell a curve's loss at a later step, from those of its steps 1, 2, ... so far; None where too few are finite."""
    values = np.asarray(losses, dtype=float)
    known = np.isfinite(values)
    if known.sum() < LEAST or step <= len(values):
        return None
    values, least = values[known], float(values[known].min())
    unit = float(values.max()) - least or abs(least) or 1.0
    if not math.isfinite(unit):
        return None
    shapes, prior = _shapes(step)
    return _fitted((values - least) / unit, shapes[:, : len(known)][:, known], shapes[:, -1], prior, (least, unit))


def _fitted(losses: Array, shapes: Array, last: Array, prior: Array, units: tuple[float, float]) -> Forecast:
    """Fit a and b, which is never negative, to every shape; `last` is what the shapes come to at the step asked for."""
    count, freedom = len(losses), len(losses) - 2
    centre = shapes.mean(axis=1)
    apart, around = shapes - centre[:, None], losses - losses.mean()
    spread = np.einsum("ij,ij->i", apart, apart)
    flat = spread < FLAT
    safe = np.where(flat, 1.0, spread)
    slope = np.where(flat, 0.0, np.maximum(apart @ around, 0.0) / safe)
    unexplained = np.maximum(around @ around - slope**2 * spread, 0.0) + count * NOISE**2
    leverage = np.where(flat, 0.0, (last - centre) ** 2 / safe)
    likelihood = np.log(prior) - INDEPENDENT * freedom / 2 * np.log(unexplained)
    weights = np.exp(likelihood - likelihood.max())
    return Forecast(
        losses.mean() + slope * (last - centre),
        np.sqrt(unexplained / freedom * (1 + 1 / count + leverage)),
        weights / weights.sum(),
        freedom,
        *units,
    )


@lru_cache(maxsize=4)
def _shapes(steps: int) -> tuple[Array, Array]:
    """Return what every family's shapes are at the steps from 1, shape (fits, steps), and the fits' weights beforehand."""
    step = np.arange(1, steps + 1, dtype=float)
    fine, coarse = np.geomspace(0.3, 3 * steps, 40)[:, None], np.geomspace(0.3, 3 * steps, 24)[:, None, None]
    bends = np.array([0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0])[:, None]
    shifts = np.array([0.0, *np.geomspace(0.5, 2 * steps, 11)])[:, None, None]
    families = (
        np.exp(-step / fine),
        np.exp(-((step / coarse) ** bends)),
        step ** -np.geomspace(0.02, 4, 40)[:, None],
        (step + shifts) ** -np.geomspace(0.05, 4, 12)[:, None],
        1 / (1 + (step / coarse) ** bends),
        1 / np.log(step + 1)[None],
        np.zeros((1, steps)),
    )
    flattened = [family.reshape(-1, steps) for family in families]
    # No family is likelier beforehand, and within it no shape.
    prior = np.concatenate([np.full(len(family), 1 / len(family) / len(families)) for family in flattened])
    return np.concatenate(flattened), prior
