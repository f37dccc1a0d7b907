"""Tells candidates of another study in a space's own parameters, which are matched by name.

A parameter that was renamed is found under its new name, one that is gone is left out, one that is new takes the middle of its
range where a whole candidate is needed. A value just outside of a range is moved to the range's end; a candidate with a value
far outside, or with an option that is gone, lies in another space and is left out. So does one whose value of what is fixed now
was another, a number near it apart: it may have been fixed because it mattered. Of an unimportant parameter any value will do.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Distribution, LogInt, LogNormal, LogUniform, Value
from tunesmith.spaces._numeric import Numeric
from tunesmith.spaces._space import Candidate, Space

# Beyond this share of a range's width a value is far outside of it, and beyond this share of a fixed number far from that.
NEAR = 0.1


@dataclass(frozen=True)
class Told:
    """A candidate in the space's parameters: `known`, those that it had; `whole`, with the middle of all others' ranges."""

    known: Candidate
    whole: Candidate


@dataclass
class Translator:
    """Tells candidates in the parameters of `space`. Counts what did not fit and why.

    `rename` maps old names to new ones. `unimportant`: parameters, by their old names, that a candidate is told without where
    its value of them does not fit.
    """

    space: Space
    rename: Mapping[str, str] = field(default_factory=dict)
    unimportant: Collection[str] = ()
    matched: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    misfits: Counter[str] = field(default_factory=Counter)

    def tell(self, candidate: Candidate) -> Told | None:
        """Return the candidate in the space's parameters, None where it lies outside of the space."""
        given = {self.rename.get(name, name): value for name, value in candidate.items()}
        waived = {self.rename.get(name, name) for name in self.unimportant}
        known: dict[str, Value] = {}

        def pick(name: str, distribution: Distribution) -> Value:
            if name not in given:
                self.added.add(name)
                return distribution.quantile(0.5)
            found = _fitted(distribution, given[name])
            if isinstance(found, _Nothing):
                self._refuse(name, waived)
                return distribution.quantile(0.5)
            known[name] = found
            return found

        try:
            whole = self.space.choose(pick)
            self._check_settled({name: value for name, value in given.items() if name not in whole}, waived)
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

    def _check_settled(self, unasked: Candidate, waived: Collection[str]) -> None:
        """Raise _Misfit where a value of what the space does not ask for is not the one that it has settled on."""
        settled = self.space.settled()
        for name, value in unasked.items():
            only = settled.get(name.rpartition(".")[2], _NONE)
            if isinstance(only, _Nothing):
                continue
            if not _stands_for(only, value):
                self._refuse(name, waived)
            self.matched.add(name)

    def _refuse(self, name: str, waived: Collection[str]) -> None:
        """Raise _Misfit for a parameter whose value does not fit, unless it is unimportant."""
        if name not in waived:
            raise _Misfit(name)
        self.matched.add(name)


class _Misfit(Exception):
    """The value of the parameter `name` is none of the space's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Nothing:
    """Null is an option like others, so that the lack of one needs a word of its own."""


_NONE = _Nothing()


def _fitted(distribution: Distribution, value: Value) -> Value | _Nothing:
    """Return the value of the distribution that stands for `value`, nothing where none does."""
    if distribution.size == 1:
        only = distribution.value_at(0)
        return only if _stands_for(only, value) else _NONE
    if isinstance(distribution, Numeric) and _is_number(value):
        return _nearest(distribution, float(value))
    if isinstance(distribution, Choice):
        return next((option for option in distribution.options if _same(option, value)), _NONE)
    return _NONE


def _stands_for(only: Value, value: Value) -> bool:
    """Tell whether the value of what is fixed now stands for another: it is that, or a number near it."""
    if _is_number(only) and _is_number(value):
        return abs(value - only) <= NEAR * abs(only)
    return _same(only, value)


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
