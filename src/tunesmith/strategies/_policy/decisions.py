"""Candidates as sequences of decisions, each one of a few options: what a recurrent policy reads and writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._decided import decided

# A parameter of more values is cut into so many parts of equal mass.
MOST_OPTIONS = 10
PARTS = 12
# How far what is learned of one part holds for those beside it, in parts.
REACH = 1.0


@dataclass(frozen=True)
class Decision:
    """A parameter as a choice of one of a few options: its values, or parts of its range."""

    name: str
    distribution: Distribution

    @cached_property
    def key(self) -> str:
        """What tells it from other decisions, and from one of the same name in another branch."""
        return f"{self.name} {self.distribution.describe()}"

    @cached_property
    def options(self) -> int:
        """How many options there are."""
        return int(self.distribution.size) if self.is_listed else PARTS

    @cached_property
    def targets(self) -> np.ndarray:
        """What each option, where it was good, says of all, a row of shares each: parts of a range are like those beside."""
        if isinstance(self.distribution, Choice):
            return np.eye(self.options)
        places = np.arange(self.options)
        near = np.exp(-0.5 * ((places[:, None] - places[None, :]) / REACH) ** 2)
        return near / near.sum(axis=1, keepdims=True)

    @property
    def is_listed(self) -> bool:
        """Whether each option is a value."""
        return self.distribution.size <= MOST_OPTIONS

    def value(self, option: int, rng: np.random.Generator) -> Value:
        """Return the value that an option is, any of those in a part."""
        if self.is_listed:
            return self.distribution.value_at(option)
        return self.distribution.quantile((option + float(rng.random())) / self.options)

    def option(self, value: Value) -> int:
        """Return the option that a value is, or lies in."""
        if not self.is_listed:
            return min(int(float(self.distribution.cdf([value])[0]) * self.options), self.options - 1)
        values = [self.distribution.value_at(place) for place in range(self.options)]
        return next(i for i, known in enumerate(values) if known == value and type(known) is type(value))


@dataclass(frozen=True)
class Episode:
    """A candidate as its decisions, in order, and the option taken at each."""

    decisions: tuple[Decision, ...]
    options: tuple[int, ...]

    @cached_property
    def form(self) -> tuple[str, ...]:
        """What episodes have in common that can be looked at together."""
        return tuple(decision.key for decision in self.decisions)


def episode_of(space: Space, candidate: Candidate) -> Episode | None:
    """Return a candidate's episode; None where it does not fit the space."""
    found = decided(space, candidate)
    if found is None:
        return None
    decisions = [Decision(name, distribution) for name, distribution in found.items()]
    return Episode(tuple(decisions), tuple(each.option(candidate[each.name]) for each in decisions))


def grouped(episodes: Sequence[Episode], weights: Sequence[float]) -> list[tuple[Episode, np.ndarray, np.ndarray]]:
    """Return groups of episodes of one form: one of them, all their options (n x steps), and their weights (n)."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, episode in enumerate(episodes):
        groups.setdefault(episode.form, []).append(place)
    told = np.asarray(weights, dtype=float)
    return [
        (episodes[places[0]], np.array([episodes[place].options for place in places], dtype=int), told[places])
        for places in groups.values()
    ]
