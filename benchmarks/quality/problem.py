"""A problem to be searched: a space of plain parameters, a loss, and what is the best that can be found."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.spaces._distributions import Choice, Distribution, Int, LogInt, LogUniform, Uniform, Value
from tunesmith.spaces._space import Candidate, Chooser, Space
from tunesmith.spaces.parameters import Branches, Parameters

GROUPS = ("continuous", "mixed", "architecture")


class TrialFailed(Exception):
    """The evaluation of a candidate came to nothing."""


@dataclass(frozen=True)
class Knob:
    """A parameter; active always, or where `parent`, an earlier knob, is active and has one of `options`."""

    name: str
    distribution: Distribution
    parent: str = ""
    options: tuple[Value, ...] = ()

    def active(self, candidate: Candidate) -> bool:
        """Tell whether it is to be chosen after the earlier knobs' values in `candidate`."""
        return not self.parent or (self.parent in candidate and candidate[self.parent] in self.options)

    @property
    def log(self) -> bool:
        """Whether equal steps of it are equal ratios."""
        return isinstance(self.distribution, LogUniform | LogInt)

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return isinstance(self.distribution, Int | LogInt)

    @property
    def choices(self) -> tuple[Value, ...]:
        """The options of a category; empty for a number."""
        return self.distribution.options if isinstance(self.distribution, Choice) else ()

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest number."""
        assert isinstance(self.distribution, Uniform)
        return self.distribution.first, self.distribution.second


@dataclass(frozen=True)
class FlatSpace(Space):
    """Knobs in order; unlike `parameters`, branches may share a parameter."""

    knobs: tuple[Knob, ...]

    def define(self, choose: Chooser) -> dict[str, Value]:
        for knob in self.knobs:
            if knob.active(choose.candidate):
                choose(knob.name, knob.distribution)
        return dict(choose.candidate)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "flat", "knobs": [[knob.name, knob.distribution.to_json()] for knob in self.knobs]}


def declared(knobs: Sequence[Knob]) -> Space:
    """Return the knobs as a search file declares them; a knob that several options share needs a program."""
    if any(knob.parent and not _opens_one_branch(knob) for knob in knobs):
        return FlatSpace(tuple(knobs))
    return Parameters(_tree(knobs, "", None))


def _opens_one_branch(knob: Knob) -> bool:
    return len(knob.options) == 1 and all(isinstance(option, str) for option in knob.options)


def _tree(knobs: Sequence[Knob], parent: str, option: Value) -> dict[str, Distribution | Branches]:
    tree: dict[str, Distribution | Branches] = {}
    for knob in knobs:
        if knob.parent != parent or (parent and knob.options != (option,)):
            continue
        is_parent = any(other.parent == knob.name for other in knobs)
        tree[knob.name] = _branches(knobs, knob) if is_parent else knob.distribution
    return tree


def _branches(knobs: Sequence[Knob], knob: Knob) -> Branches:
    assert isinstance(knob.distribution, Choice)
    return Branches(knob.distribution, {str(option): _tree(knobs, knob.name, option) for option in knob.choices})


@dataclass(frozen=True)
class Problem:
    """A loss over a space; smaller is better.

    `loss(candidate)` is the true value, raises TrialFailed. `observe(candidate, rng)` is what a search sees of it where that is
    """

    name: str
    group: str
    knobs: tuple[Knob, ...]
    loss: Callable[[Candidate], float]
    best: float
    optimum: Candidate
    observe: Callable[[Candidate, np.random.Generator], float] | None = None
    usual: bool = False

    @cached_property
    def space(self) -> FlatSpace:
        """The knobs as a space of Tunesmith."""
        return FlatSpace(self.knobs)

    def evaluate(self, candidate: Candidate, seed: int, number: int) -> tuple[float, float]:
        """Return the observed and the true loss of trial `number`; the noise is the same whoever asks. Raises TrialFailed."""
        true = self.loss(candidate)
        if self.observe is None:
            return true, true
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), seed, number])
        return self.observe(candidate, rng), true


def to_unit(knobs: Sequence[Knob], candidate: Candidate) -> np.ndarray:
    """Return the active numbers' and categories' places in the unit cube, NaN where inactive; shape (knobs,)."""
    places = [float(knob.distribution.cdf([candidate[knob.name]])[0]) if knob.name in candidate else np.nan for knob in knobs]
    return np.array(places)


def shifted_optimum(name: str, shift: int, size: int) -> np.ndarray:
    """Return where in the unit cube a problem has its optimum: 0.1 to 0.9, at least 0.1 off the centre; shape (size,)."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), shift])
    away = rng.uniform(0.1, 0.4, size)
    return 0.5 + np.where(rng.random(size) < 0.5, -away, away)


def shift_name(name: str, shift: int) -> str:
    """Return the name of a problem whose optimum lies elsewhere than usual."""
    return f"{name}/{shift}" if shift else name
