"""Brings objectives of any scale to a shape that a Gaussian process can follow, smaller still better."""

import numpy as np
from scipy.optimize import minimize_scalar

# The bad tail ends at so many times the distance from the best to the median: how bad the bad are does not matter.
TAIL = 6.0
# Below this share of the values themselves a difference is rounding.
TINY = 1e-13


def warp(losses: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return losses with the bad tail cut, made normal by Yeo & Johnson's power (2000), mean 0 and deviation 1.

    weights: how much each counts for the median, the power, the mean and the deviation; None: all alike.
    """
    parts = np.ones(len(losses)) if weights is None else weights * (len(losses) / weights.sum())
    cut = _cut_tail(_scaled(losses, parts), parts)
    if np.ptp(cut) < TINY:
        return np.zeros_like(cut)
    power = minimize_scalar(lambda power: -_likelihood(cut, power, parts), bounds=(-4.0, 4.0), method="bounded").x
    shaped = _standard(_yeo_johnson(cut, float(power)), parts)
    return shaped if np.isfinite(shaped).all() else _standard(cut, parts)


def _scaled(losses: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return losses around their median in units of their good half: differences of 1e300 must not overflow."""
    largest = float(np.abs(losses).max())
    losses = losses / largest if largest > 0 else losses
    middle, best = _median(losses, weights), float(losses.min())
    spread = middle - best
    if spread <= TINY * max(abs(middle), abs(best)):
        spread = float(np.ptp(losses))
    return (losses - middle) / spread if spread > 0 else np.zeros_like(losses)


def _cut_tail(losses: np.ndarray, weights: np.ndarray) -> np.ndarray:
    middle, best = _median(losses, weights), losses.min()
    return np.minimum(losses, best + TAIL * (middle - best)) if middle > best else losses


def _median(losses: np.ndarray, weights: np.ndarray) -> float:
    """Return the loss at half of the weight, the mean of two where it lies between them."""
    order = np.argsort(losses, kind="stable")
    reached = np.cumsum(weights[order])
    low, high = np.searchsorted(reached, np.array([1 - TINY, 1 + TINY]) * 0.5 * reached[-1])
    return float(0.5 * (losses[order[low]] + losses[order[high]]))


def _standard(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    mean, variance = _mean_and_variance(values, weights)
    deviation = np.sqrt(variance)
    return (values - mean) / deviation if deviation > TINY else np.zeros_like(values)


def _mean_and_variance(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    mean = np.average(values, weights=weights)
    return float(mean), float(np.average((values - mean) ** 2, weights=weights))


def _yeo_johnson(values: np.ndarray, power: float) -> np.ndarray:
    up, down = np.maximum(values, 0.0), np.maximum(-values, 0.0)
    raised = np.log1p(up) if abs(power) < 1e-9 else np.expm1(power * np.log1p(up)) / power
    other = 2.0 - power
    lowered = np.log1p(down) if abs(other) < 1e-9 else np.expm1(other * np.log1p(down)) / other
    return raised - lowered


def _likelihood(values: np.ndarray, power: float, weights: np.ndarray) -> float:
    variance = _mean_and_variance(_yeo_johnson(values, power), weights)[1]
    if not np.isfinite(variance) or variance <= 0:
        return -np.inf
    jacobian = (power - 1.0) * float((weights * np.sign(values) * np.log1p(np.abs(values))).sum())
    return -0.5 * len(values) * np.log(variance) + jacobian


def warp_excess(excess: np.ndarray) -> np.ndarray:
    """Return how far a bound is missed on a scale that a process can follow, 0 still the bound; NaN counts like the worst."""
    known = np.abs(excess[np.isfinite(excess)])
    scale = float(np.median(known)) if len(known) else 0.0
    scale = scale if scale > 0 else float(known.max(initial=0.0)) or 1.0
    warped = np.arcsinh(excess / scale)
    return np.where(np.isfinite(warped), warped, max(np.nanmax(warped, initial=0.0), 1.0))
