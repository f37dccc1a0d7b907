"""Distributions under the names of the search file, for spaces written in Python: `{"lr": loguniform(1e-4, 0.1)}`."""

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.spaces._distributions import Distribution, Int, LogInt, LogNormal, LogUniform, Normal, Uniform, Value
from tunesmith.spaces.parameters import Branches, branches

Bounds = tuple[float, float] | None


def uniform(low: float, high: float, step: float | None = None) -> Distribution:
    """A number from low to high; with a step one of low, low + step, ..."""
    return Uniform(low, high, step)


def loguniform(low: float, high: float) -> Distribution:
    """A number from low (above 0) to high, its logarithm uniform."""
    return LogUniform(low, high)


def integer(low: int, high: int, step: int = 1) -> Distribution:
    """A whole number from low to high, both included."""
    return Int(low, high, step)


def logint(low: int, high: int) -> Distribution:
    """A whole number from low (at least 1) to high, its logarithm uniform."""
    return LogInt(low, high)


def normal(mean: float, deviation: float, step: float | None = None, clip: Bounds = None) -> Distribution:
    """A normally distributed number, rounded to a multiple of `step`, moved into `clip` = (low, high) where outside."""
    return Normal(mean, deviation, step, clip)


def lognormal(mean: float, deviation: float, step: float | None = None, clip: Bounds = None) -> Distribution:
    """A number whose natural logarithm is normally distributed with this mean and deviation."""
    return LogNormal(mean, deviation, step, clip)


def choice(options: Sequence[Value] | Mapping[str, Mapping[str, Any]]) -> Distribution | Branches:
    """One of the options; a dictionary's open further parameters: `{"sgd": {"momentum": uniform(0, 1)}, "adam": {}}`."""
    return branches(options)
