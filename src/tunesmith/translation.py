"""Tells candidates of another study in a space's own parameters, which are matched by name.

A parameter that was renamed is found under its new name, one that is gone is left out, one that is new takes the middle of its
range where a whole candidate is needed. A value just outside of a range is moved to the range's end; a candidate with a value
far outside, or with an option that is gone, lies in another space and is left out.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Distribution, LogInt, LogNormal, LogUniform, Value
from tunesmith.spaces._numeric import Numeric
from tunesmith.spaces._space import Candidate, Space

# A value counts as far outside of a range beyond this share of the range's width.
NEAR = 0.1


@dataclass(frozen=True)
class Told:
    """A candidate in the space's parameters: `known`, those that it had; `whole`, with the middle of all others' ranges."""

    known: Candidate
    whole: Candidate


@dataclass
class Translator:
    """Tells candidates in the parameters of `space`; `rename` maps old names to new ones. Counts what did not fit and why."""

    space: Space
    rename: Mapping[str, str] = field(default_factory=dict)
    matched: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    misfits: Counter[str] = field(default_factory=Counter)

    def tell(self, candidate: Candidate) -> Told | None:
        """Return the candidate in the space's parameters, None where it lies outside of the space."""
        given = {self.rename.get(name, name): value for name, value in candidate.items()}
        known: dict[str, Value] = {}

        def pick(name: str, distribution: Distribution) -> Value:
            if name not in given:
                self.added.add(name)
                return distribution.quantile(0.5)
            known[name] = _fitted(name, distribution, given[name])
            return known[name]

        try:
            whole = self.space.choose(pick)
        except _Misfit as misfit:
            self.misfits[misfit.name] += 1
            self.matched.add(misfit.name)
            return None
        except SpecError:
            # A space that is a program may refuse what its parameters allow one by one.
            self.misfits["the space's own conditions"] += 1
            return None
        self.matched |= set(known)
        return Told(known, whole) if known else None


class _Misfit(Exception):
    """The value of the parameter `name` is none of the space's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _fitted(name: str, distribution: Distribution, value: Value) -> Value:
    """Return the value of the distribution that stands for `value`; raises _Misfit where none does.

    What is fixed now takes its only value: it was fixed because it hardly mattered.
    """
    if distribution.size == 1:
        return distribution.value_at(0)
    if isinstance(distribution, Numeric) and _is_number(value):
        found = _nearest(distribution, float(value))
    elif isinstance(distribution, Choice):
        found = next((option for option in distribution.options if _same(option, value)), _NONE)
    else:
        found = _NONE
    if isinstance(found, _Nothing):
        raise _Misfit(name)
    return found


class _Nothing:
    """Null is an option like others, so that the lack of one needs a word of its own."""


_NONE = _Nothing()


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _same(option: Value, value: Value) -> bool:
    """Tell whether two options are one; 1 and 1.0 are, 1 and true are not."""
    return option == value and isinstance(option, bool) == isinstance(value, bool)


def _nearest(distribution: Numeric, value: float) -> Value | _Nothing:
    """Return the distribution's value that is nearest, nothing where that is far away."""
    low, high = float(distribution.quantile(0.0)), float(distribution.quantile(1.0))
    inside = min(max(value, low), high)
    if inside != value and not _is_near(distribution, value, low, high):
        return _NONE
    plain = int(inside) if distribution.integer and inside == int(inside) else inside
    if distribution.contains(plain):
        return plain
    return distribution.quantile(float(distribution.cdf([inside])[0]))


def _is_near(distribution: Numeric, value: float, low: float, high: float) -> bool:
    """Tell whether a value lies just outside of the range, on the distribution's own scale."""
    if isinstance(distribution, LogUniform | LogInt | LogNormal):
        if value <= 0 or low <= 0:
            return False
        value, low, high = math.log(value), math.log(low), math.log(high)
    return max(low - value, value - high) <= NEAR * (high - low)
