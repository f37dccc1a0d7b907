"""A distribution narrowed to an interval of its unit positions, or widened beyond one of its ends, in round figures."""

import math
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Literal

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Distribution, LogUniform, Normal, Uniform, Value

FIGURES = 3
# An end is moved by half of the range that the distribution has, on its own scale.
STRETCH = 0.5
# Of a normal distribution, an interval is what lies within two deviations.
DEVIATIONS = 2.0

End = Literal["low", "high"]


def between(distribution: Distribution, low: float, high: float) -> Distribution:
    """Return the distribution of the values whose positions lie in [low, high], 0 <= low < high <= 1; never a wider one."""
    if isinstance(distribution, Uniform):
        return _bounded(distribution, _number(distribution.quantile(low)), _number(distribution.quantile(high)))
    if isinstance(distribution, Normal):
        return _normal(distribution, low, high)
    return distribution


def beyond(distribution: Distribution, end: End, other: float) -> Distribution:
    """Return the distribution with the crowded end moved outwards and the other end at position `other`, where inside.

    What looks like a natural limit is respected: 0 for what is never negative, 1 for a share, a `clip` for what has one. The
    distribution itself comes back where it cannot be widened.
    """
    if isinstance(distribution, Normal):
        return _normal(distribution, *((other, 1.0) if end == "high" else (0.0, other)))
    if not isinstance(distribution, Uniform) or distribution.clip:
        return distribution
    moved = _moved_end(distribution, end)
    if math.isclose(moved, distribution.second if end == "high" else distribution.first):
        return distribution
    inside = _number(distribution.quantile(min(max(other, 0.0), 1.0)))
    low, high = (inside, moved) if end == "high" else (moved, inside)
    try:
        return _bounded(distribution, low, high, clamp=False)
    except SpecError:
        return distribution


def _moved_end(distribution: Uniform, end: End) -> float:
    low, high = float(distribution.first), float(distribution.second)
    if isinstance(distribution, LogUniform):
        factor = (high / low) ** STRETCH
        floor = 1.0 if distribution.integer else 0.0
        return high * factor if end == "high" else max(low / factor, floor)
    width = (high - low) * STRETCH
    if end == "high":
        # Between 0 and 1 it may be a share, which cannot be more than 1; a step of less than half the way is safe.
        is_share = low >= 0 and high <= 1 and not distribution.integer
        return high + (min(width, (1 - high) / 2) if is_share else width)
    return max(low - width, 0.0) if low >= 0 else low - width


def _bounded(distribution: Uniform, low: float, high: float, clamp: bool = True) -> Distribution:
    """Return the distribution between two numbers, made round outwards, on its grid where it has one."""
    first, last = _number(distribution.quantile(0.0)), _number(distribution.quantile(1.0))
    if distribution.step is not None:
        low, high = (_on_grid(distribution, number) for number in (low, high))
    else:
        scale = 0.0 if isinstance(distribution, LogUniform) else high - low
        low, high = _round(low, scale, ROUND_FLOOR), _round(high, scale, ROUND_CEILING)
    if clamp:
        low, high = max(low, first), min(high, last)
    if low >= high:
        return _only(distribution, low)
    clip = None if distribution.clip and distribution.clip[0] <= low and high <= distribution.clip[1] else distribution.clip
    return replace(distribution, first=low, second=high, clip=clip)


def _only(distribution: Uniform, value: float) -> Distribution:
    from tunesmith.spaces._distributions import Choice

    return Choice((int(value) if distribution.integer else float(value),))


def _on_grid(distribution: Uniform, number: float) -> float:
    steps = round((number - distribution.first) / (distribution.step or 1))
    return float(Decimal(repr(distribution.first)) + steps * Decimal(repr(distribution.step)))


def _normal(distribution: Normal, low: float, high: float) -> Distribution:
    """Return the normal distribution of which an interval of positions is the middle; never a broader one."""
    from scipy.special import ndtri

    edges = [float(ndtri(min(max(unit, 0.005), 0.995))) for unit in (low, high)]
    middle = distribution.first + distribution.second * (edges[0] + edges[1]) / 2
    deviation = distribution.second * (edges[1] - edges[0]) / 2 / DEVIATIONS
    deviation = min(deviation, distribution.second)
    return replace(distribution, first=_round(middle, deviation), second=_round(deviation, 0.0))


def _round(number: float, scale: float, how: str | None = None) -> float:
    """Round to FIGURES digits of the number, or of `scale` where that is not 0."""
    if number == 0 or not math.isfinite(number):
        return number
    leading = math.floor(math.log10(scale or abs(number)))
    quantum = Decimal(1).scaleb(leading - FIGURES + 1)
    rounding: dict[str, Any] = {"rounding": how} if how else {}
    # 0.010000000000000002 is 0.01, whichever way it is rounded.
    return float(Decimal(f"{number:.12g}").quantize(quantum, **rounding))


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value


def wording(value: Value) -> str:
    """Return a value as a person writes it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
