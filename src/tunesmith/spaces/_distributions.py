"""The distributions of the search file, under its names, and how they are read.

The vocabulary follows Hyperopt's spaces (Bergstra et al., 2013).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean
from tunesmith.spaces._distribution import Choice, Distribution, Value
from tunesmith.spaces._numeric import INFINITY, LARGEST_WHOLE, Numeric

__all__ = ["Choice", "Distribution", "Int", "LogInt", "LogNormal", "LogUniform", "Normal", "Uniform", "Value", "parse"]


@dataclass(frozen=True)
class Uniform(Numeric):
    """Any number between low and high; with a step: low, low + step, ..."""

    name: ClassVar[str] = "uniform"

    def _check(self) -> None:
        if not self.first < self.second:
            raise SpecError(f"{self.name}: low must be less than high, got [{self.first}, {self.second}]")
        if not math.isfinite(self.second - self.first):
            raise SpecError(f"{self.name}: the range [{self.first}, {self.second}] is too wide for floating-point numbers")

    @property
    def _origin(self) -> float:
        return float(self.first)

    def _bounds(self) -> tuple[float, float]:
        low, high = self.clip or (self.first, self.second)
        return max(low, self.first), min(high, self.second)

    def _edges(self) -> tuple[float, float]:
        """The range before rounding: half a step wider on both sides, so that every grid value is equally likely."""
        if self.step is None:
            return self.first, self.second
        count = math.floor((self.second - self.first) / self.step + 1e-9)
        return self.first - self.step / 2, self.first + (count + 0.5) * self.step

    def _raw_quantile(self, unit: float) -> float:
        low, high = self._edges()
        return low + unit * (high - low)

    def _raw_cdf(self, values: np.ndarray) -> np.ndarray:
        low, high = self._edges()
        return np.clip((values - low) / (high - low), 0.0, 1.0)


@dataclass(frozen=True)
class LogUniform(Uniform):
    """Any number between low and high, its logarithm uniform; low must be above 0."""

    name: ClassVar[str] = "loguniform"

    def _check(self) -> None:
        if self.first <= 0:
            raise SpecError(f"{self.name}: low must be above 0 on a logarithmic scale, got {self.first}")
        super()._check()
        if self.step is not None and self.step >= 2 * self.first:
            raise SpecError(f"{self.name}: step must be less than twice low, got step {self.step} and low {self.first}")

    def _log_edges(self) -> tuple[float, float]:
        low, high = self._edges()
        return math.log(low), math.log(high)

    def _raw_quantile(self, unit: float) -> float:
        low, high = self._log_edges()
        return math.exp(low + unit * (high - low))

    def _raw_cdf(self, values: np.ndarray) -> np.ndarray:
        low, high = self._log_edges()
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(values, 0.0))
        return np.clip((logs - low) / (high - low), 0.0, 1.0)


def _make_whole(distribution: Numeric) -> None:
    """Turn whole floats (JSON has no other numbers in some hands) into ints; raises SpecError for any other number."""
    for label in ("first", "second", "step"):
        number = getattr(distribution, label)
        if number is None or int(number) != number:
            raise SpecError(f"{distribution.name}: needs whole numbers, got {distribution.describe()}")
        if abs(number) > LARGEST_WHOLE:
            raise SpecError(f"{distribution.name}: needs numbers up to {LARGEST_WHOLE}, got {number}")
        object.__setattr__(distribution, label, int(number))


@dataclass(frozen=True)
class Int(Uniform):
    """A whole number from low to high, both included."""

    step: float | None = 1
    name: ClassVar[str] = "int"
    integer: ClassVar[bool] = True

    def _check(self) -> None:
        super()._check()
        _make_whole(self)


@dataclass(frozen=True)
class LogInt(LogUniform):
    """A whole number from low (at least 1) to high, its logarithm uniform."""

    step: float | None = 1
    name: ClassVar[str] = "logint"
    integer: ClassVar[bool] = True

    def _check(self) -> None:
        super()._check()
        _make_whole(self)


@dataclass(frozen=True)
class Normal(Numeric):
    """A normally distributed number.

    SciPy is imported where it is needed: it takes longer than all else that a trial's pod imports before its work.
    """

    name: ClassVar[str] = "normal"
    arguments: ClassVar[tuple[str, str]] = ("mean", "deviation")

    def _check(self) -> None:
        if self.second <= 0:
            raise SpecError(f"{self.name}: deviation must be positive, got {self.second}")

    def _raw_quantile(self, unit: float) -> float:
        from scipy.special import ndtri

        return self.first + self.second * float(ndtri(unit))

    def _raw_cdf(self, values: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        return ndtr((values - self.first) / self.second)


@dataclass(frozen=True)
class LogNormal(Normal):
    """A number whose natural logarithm is normally distributed; mean and deviation are those of the logarithm."""

    name: ClassVar[str] = "lognormal"

    def _bounds(self) -> tuple[float, float]:
        low, high = self.clip or (0.0, INFINITY)
        return max(low, 0.0), high

    def _raw_quantile(self, unit: float) -> float:
        return math.exp(min(super()._raw_quantile(unit), 700.0))

    def _raw_cdf(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return super()._raw_cdf(np.log(np.maximum(values, 0.0)))


NUMERIC: dict[str, type[Numeric]] = {cls.name: cls for cls in (Uniform, LogUniform, Int, LogInt, Normal, LogNormal)}
NAMES = [*NUMERIC, Choice.name]


def parse(form: object, where: str) -> Distribution:
    """Read a distribution such as `{uniform: [0, 1], step: 0.1}`; errors begin with `where`."""
    if isinstance(form, Distribution):
        return form
    if not isinstance(form, Mapping):
        raise SpecError(f"{where}: got {form!r}; a distribution is written as {{uniform: [0, 1]}}; one of: {', '.join(NAMES)}")
    names = [key for key in form if key in NAMES]
    if len(names) != 1:
        near = next((did_you_mean(key, NAMES) for key in form if did_you_mean(key, NAMES)), "")
        raise SpecError(f"{where}: got {dict(form)}; needs exactly one of: {', '.join(NAMES)}{near}")
    name = names[0]
    allowed = [] if name == "choice" else ["step", "clip"]
    for key in form:
        if key != name and key not in allowed:
            raise SpecError(f"{where}.{key}: unknown key; allowed: {', '.join([name, *allowed])}{did_you_mean(key, allowed)}")
    try:
        return _parse_choice(form[name]) if name == "choice" else _parse_numeric(name, form)
    except SpecError as error:
        raise SpecError(f"{where}: {error}") from None


def _parse_choice(options: Any) -> Choice:
    if not isinstance(options, Sequence) or isinstance(options, str):
        raise SpecError(f"choice: needs a list of options, got {options!r}")
    listed: list[Any] = list(options)
    return Choice(tuple(listed))


def _parse_numeric(name: str, form: Mapping[str, Any]) -> Numeric:
    cls = NUMERIC[name]
    pair = _pair(form[name], f"{name}: needs [{', '.join(cls.arguments)}]")
    options: dict[str, Any] = {}
    if form.get("step") is not None:
        options["step"] = _number(form["step"], f"{name}: step")
    if form.get("clip") is not None:
        options["clip"] = _pair(form["clip"], f"{name}: clip must be [low, high]")
    return cls(*pair, **options)


def _pair(value: object, needs: str) -> tuple[float, float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise SpecError(f"{needs}, got {value!r}")
    return _number(value[0], needs), _number(value[1], needs)


def _number(value: object, needs: str) -> float:
    """YAML reads 1e-4 (no dot) as a text, so a text that is a number counts as one."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{needs}, got {value!r}")
    return value
