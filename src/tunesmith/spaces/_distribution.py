"""What every distribution of a parameter can do, and the plainest one: a choice of options.

A distribution maps its values to and from the unit interval. For every value x on the support `quantile(cdf(x)) == x`, so a
prior is a warp and a strategy may work in the unit cube. Values that own probability mass (whole numbers, quantised or clipped
ones, options) are mapped to the middle of their mass. A distribution of whole networks has no such way back: a space that has
one says so (`Space.parametric`).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from tunesmith.errors import SpecError

Value = bool | int | float | str | None


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

    @cached_property
    def _positions(self) -> dict[tuple[str, Value], int]:
        return {_typed(option): place for place, option in enumerate(self.options)}

    def quantile(self, unit: float) -> Value:
        return self.options[min(int(unit * len(self.options)), len(self.options) - 1)]

    def cdf(self, values: Sequence[Value]) -> np.ndarray:
        return np.array([(self._positions[_typed(value)] + 0.5) / len(self.options) for value in values], dtype=float)

    def contains(self, value: object) -> bool:
        return isinstance(value, Value) and _typed(value) in self._positions

    @property
    def size(self) -> float:
        return len(self.options)

    def value_at(self, position: int) -> Value:
        return self.options[position]

    def to_json(self) -> dict[str, Any]:
        return {"choice": list(self.options)}


def _typed(value: Value) -> tuple[str, Value]:
    return type(value).__name__, value


def is_finite(value: object) -> bool:
    """Tell whether `value` is a number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
