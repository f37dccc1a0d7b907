"""What all distributions of numbers have in common: two numbers, a step, bounds."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._distribution import Distribution, Value, is_finite

INFINITY = math.inf
LARGEST_WHOLE = 2**53  # beyond it floats, and so the unit interval's warps, skip whole numbers


@dataclass(frozen=True)
class Numeric(Distribution, ABC):
    """Two numbers, an optional step and optional bounds; what lies outside the bounds is set to the nearer one."""

    first: float
    second: float
    step: float | None = None
    clip: tuple[float, float] | None = None
    arguments: ClassVar[tuple[str, str]] = ("low", "high")
    integer: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for label, number in zip(self.arguments, (self.first, self.second), strict=True):
            if not is_finite(number):
                raise SpecError(f"{self.name}: {label} must be a finite number, got {number!r}")
        if self.step is not None and not (is_finite(self.step) and self.step > 0):
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
        if isinstance(value, bool) or not isinstance(value, int | float) or not is_finite(value):
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
