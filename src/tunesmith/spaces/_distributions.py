"""Distributions of a parameter, each a map to and from the unit interval.

For every value x on the support `quantile(cdf(x)) == x`, so a prior is a warp and a strategy may work in the unit cube.
Values that own probability mass (integers, quantised or clipped ones, options) are mapped to the middle of their mass.
The vocabulary follows Hyperopt's spaces (Bergstra et al., 2013).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean

Value = bool | int | float | str | None
INFINITY = math.inf
LARGEST_WHOLE = 2**53  # beyond it floats, and so the unit interval's warps, skip whole numbers


class Distribution(ABC):
    """The values that a parameter may take, and how likely each is."""

    name: ClassVar[str]

    @abstractmethod
    def quantile(self, unit: float) -> Value:
        """Map a number in [0, 1] to a value."""

    @abstractmethod
    def cdf(self, values: Sequence[Value]) -> np.ndarray:
        """Map values of the support to the unit interval; returns an array of their length."""

    @abstractmethod
    def contains(self, value: object) -> bool:
        """Tell whether `value` lies on the support and has the declared type."""

    @property
    @abstractmethod
    def size(self) -> float:
        """The number of different values, infinite for a continuous distribution."""

    @abstractmethod
    def value_at(self, position: int) -> Value:
        """Return the value at `position` of a finite distribution, 0 <= position < size."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the form that `parse` reads."""

    def describe(self) -> str:
        """Return the distribution in the words of the search file."""
        body = ", ".join(f"{key}: {value}" for key, value in self.to_json().items())
        return f"{{{body}}}"


@dataclass(frozen=True)
class Choice(Distribution):
    """One of several options, each equally likely."""

    options: tuple[Value, ...]
    name: ClassVar[str] = "choice"

    def __post_init__(self) -> None:
        # NumPy's numbers have types of their own, which a candidate's JSON would not bring back.
        plain = tuple(option.item() if isinstance(option, np.generic) else option for option in self.options)
        object.__setattr__(self, "options", plain)
        if not self.options:
            raise SpecError("choice: needs at least one option")
        for option in self.options:
            if not isinstance(option, Value) or (isinstance(option, float) and not math.isfinite(option)):
                raise SpecError(f"choice: got {option!r}; an option is a text, finite number, true, false or null")
        if len({_typed(option) for option in self.options}) < len(self.options):
            raise SpecError(f"choice: duplicate options in {list(self.options)}")

    def quantile(self, unit: float) -> Value:
        return self.options[min(int(unit * len(self.options)), len(self.options) - 1)]

    def index(self, value: Value) -> int:
        """Return the position of `value` among the options; True and 1 are told apart."""
        return [_typed(option) for option in self.options].index(_typed(value))

    def cdf(self, values: Sequence[Value]) -> np.ndarray:
        positions = {_typed(option): i for i, option in enumerate(self.options)}
        return np.array([(positions[_typed(value)] + 0.5) / len(self.options) for value in values], dtype=float)

    def contains(self, value: object) -> bool:
        return _typed(value) in [_typed(option) for option in self.options]

    @property
    def size(self) -> float:
        return len(self.options)

    def value_at(self, position: int) -> Value:
        return self.options[position]

    def to_json(self) -> dict[str, Any]:
        return {"choice": list(self.options)}


def _typed(value: object) -> tuple[str, object]:
    return type(value).__name__, value


def _finite(value: object) -> bool:
    """Tell whether `value` is a number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@dataclass(frozen=True)
class _Numeric(Distribution, ABC):
    """Two numbers, an optional step and optional bounds; what lies outside the bounds is set to the nearer one."""

    first: float
    second: float
    step: float | None = None
    clip: tuple[float, float] | None = None
    arguments: ClassVar[tuple[str, str]] = ("low", "high")
    integer: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for label, number in zip(self.arguments, (self.first, self.second), strict=True):
            if not _finite(number):
                raise SpecError(f"{self.name}: {label} must be a finite number, got {number!r}")
        if self.step is not None and not (_finite(self.step) and self.step > 0):
            raise SpecError(f"{self.name}: step must be positive, got {self.step!r}")
        self._check_clip()
        self._check()
        self._check_fineness()
        low, high = self._grid_bounds()
        if low > high:
            raise SpecError(f"{self.name}: clip {list(self.clip or ())} leaves no value of {self.describe()}")

    def _check_clip(self) -> None:
        if self.clip is None:
            return
        clip = tuple(self.clip)
        numbers = all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in clip)
        if len(clip) != 2 or not numbers or not clip[0] < clip[1]:
            raise SpecError(f"{self.name}: clip must be [low, high] with low < high, got {list(clip)}")
        object.__setattr__(self, "clip", clip)

    def _check_fineness(self) -> None:
        far = max((abs(bound - self._origin) for bound in self._bounds() if math.isfinite(bound)), default=0.0)
        if self.step is not None and far / self.step > LARGEST_WHOLE:
            raise SpecError(f"{self.name}: step {self.step!r} is too small for a range of {far!r}")

    @abstractmethod
    def _check(self) -> None:
        """Raise SpecError when the two numbers do not fit together."""

    @abstractmethod
    def _raw_quantile(self, unit: float) -> float:
        """The quantile before rounding and clipping."""

    @abstractmethod
    def _raw_cdf(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `_raw_quantile`."""

    @property
    def _origin(self) -> float:
        return 0.0

    def _bounds(self) -> tuple[float, float]:
        return self.clip or (-INFINITY, INFINITY)

    def _grid_bounds(self) -> tuple[float, float]:
        """The smallest and largest value that can come out, after rounding."""
        low, high = self._bounds()
        if self.step is None:
            return low, high
        lowest = self._on_grid(math.ceil((low - self._origin) / self.step - 1e-9)) if math.isfinite(low) else low
        highest = self._on_grid(math.floor((high - self._origin) / self.step + 1e-9)) if math.isfinite(high) else high
        return lowest, highest

    def _on_grid(self, position: int) -> float:
        """The value at `position`, counted as decimals so that three steps of 0.1 are 0.3."""
        return float(Decimal(repr(self._origin)) + position * Decimal(repr(self.step or 1)))

    def quantile(self, unit: float) -> float | int:
        low, high = self._grid_bounds()
        tiny = 1e-16 if math.isinf(low) or math.isinf(high) else 0.0
        value = min(max(self._raw_quantile(min(max(unit, tiny), 1 - tiny)), low), high)
        if self.step is not None:
            value = min(max(self._snap(value), low), high)
        return self._typed(value)

    def _snap(self, value: float) -> float:
        """The nearest value on the grid; far out, where floats are coarser than the grid, the value itself."""
        position = (value - self._origin) / (self.step or 1)
        return self._on_grid(round(position)) if abs(position) <= LARGEST_WHOLE else value

    def _typed(self, value: float) -> float | int:
        return int(value) if self.integer else float(value)

    def value_at(self, position: int) -> float | int:
        low, _ = self._grid_bounds()
        return self._typed(self._on_grid(round((low - self._origin) / (self.step or 1)) + position))

    def cdf(self, values: Sequence[Value]) -> np.ndarray:
        points = np.asarray(values, dtype=float)
        low, high = self._grid_bounds()
        half = (self.step or 0.0) / 2
        below = np.where(points <= low, -INFINITY, points - half)
        above = np.where(points >= high, INFINITY, points + half)
        return (self._raw_cdf(below) + self._raw_cdf(above)) / 2

    def contains(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            return False
        if self.integer and int(value) != value:
            return False
        low, high = self._grid_bounds()
        if not low <= value <= high:
            return False
        return self.step is None or math.isclose(value, self._snap(value), rel_tol=0 if self.integer else 1e-12)

    @property
    def size(self) -> float:
        low, high = self._grid_bounds()
        return INFINITY if self.step is None or math.isinf(high - low) else round((high - low) / self.step) + 1

    def to_json(self) -> dict[str, Any]:
        form: dict[str, Any] = {self.name: [self.first, self.second]}
        if self.step is not None and not (self.integer and self.step == 1):
            form["step"] = self.step
        return form | ({"clip": list(self.clip)} if self.clip else {})


@dataclass(frozen=True)
class Uniform(_Numeric):
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


def _make_whole(distribution: _Numeric) -> None:
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
class Normal(_Numeric):
    """A normally distributed number."""

    name: ClassVar[str] = "normal"
    arguments: ClassVar[tuple[str, str]] = ("mean", "deviation")

    def _check(self) -> None:
        if self.second <= 0:
            raise SpecError(f"{self.name}: deviation must be positive, got {self.second}")

    def _raw_quantile(self, unit: float) -> float:
        return self.first + self.second * float(ndtri(unit))

    def _raw_cdf(self, values: np.ndarray) -> np.ndarray:
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


NUMERIC: dict[str, type[_Numeric]] = {cls.name: cls for cls in (Uniform, LogUniform, Int, LogInt, Normal, LogNormal)}
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


def _parse_numeric(name: str, form: Mapping[str, Any]) -> _Numeric:
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
