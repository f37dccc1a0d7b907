"""Aging evolution (Real et al., 2019, "Regularized evolution for image classifier architecture search", algorithm 1).

The population is the latest trials that have ended, so that what was lucky once dies of age. Each proposal is a child of the
best of a few members drawn at random: a mutation of it, now and then crossed with a second one. There are no generations, and
no worker waits for another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.study import Proposal, StudyView, Trial

# How far a mutated number moves, in shares of its range by its prior.
STEP = 0.15


@dataclass(frozen=True)
class Evolution(Strategy):
    """Mutates the best of a random sample of the latest trials.

    population: how many of the latest trials live; the first so many are random. None: a fifth of the budget, 8 to 30. sample:
    how many of them compete to be the parent. None: half of them. crossover: the share of children that have two parents.
    """

    population: int | None = None
    sample: int | None = None
    crossover: float = 0.5

    def __post_init__(self) -> None:
        if self.population is not None and self.population < 2:
            raise SpecError(f"population: got {self.population}; needs a whole number from 2")
        if self.sample is not None and not 1 <= self.sample <= (self.population or self.sample):
            raise SpecError(f"sample: got {self.sample}; needs a whole number from 1 to the population of {self.population}")
        if not 0 <= self.crossover <= 1:
            raise SpecError(f"crossover: got {self.crossover}; needs a number from 0 to 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        return one_by_one(study, count, self._draw)

    def _draw(self, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
        places = {number: place for place, number in enumerate(study.best_first())}
        population = self.population or _usual_population(study.budget)
        living = sorted((trial for trial in study.trials if trial.number in places), key=lambda trial: trial.number)
        if len(living) < population or study.issued < population:
            return study.space.sample(rng)
        living = living[-population:]
        parent = self._winner(living, places, rng)
        if rng.random() < self.crossover:
            other = self._winner(living, places, rng)
            return mutated(study.space, crossed(study.space, parent.candidate, other.candidate, rng), rng)
        return mutated(study.space, parent.candidate, rng)

    def _winner(self, living: Sequence[Trial], places: dict[int, int], rng: np.random.Generator) -> Trial:
        size = min(self.sample or max(len(living) // 2, 2), len(living))
        drawn = rng.choice(len(living), size=size, replace=False)
        return min((living[i] for i in drawn), key=lambda trial: places[trial.number])


def _usual_population(budget: int | None) -> int:
    return 16 if budget is None else min(max(budget // 5, 8), 30)


def mutated(space: Space, candidate: Candidate, rng: np.random.Generator) -> dict[str, Value]:
    """Return the candidate with one parameter that has another value; what no longer applies is drawn anew."""
    changed = _places(space, candidate)
    target = changed[int(rng.integers(len(changed)))] if changed else ""

    def pick(name: str, distribution: Distribution) -> Value:
        if name not in candidate or not distribution.contains(candidate[name]):
            return distribution.quantile(float(rng.random()))
        return another(candidate[name], distribution, rng) if name == target else candidate[name]

    return space.choose(pick)


def crossed(space: Space, mother: Candidate, father: Candidate, rng: np.random.Generator) -> dict[str, Value]:
    """Return a candidate of which each parameter comes from either parent, from the prior where neither has it."""

    def pick(name: str, distribution: Distribution) -> Value:
        known = [parent[name] for parent in (mother, father) if name in parent and distribution.contains(parent[name])]
        return known[int(rng.integers(len(known)))] if known else distribution.quantile(float(rng.random()))

    return space.choose(pick)


def another(value: Value, distribution: Distribution, rng: np.random.Generator) -> Value:
    """Return another value: any other option, or a number near this one."""
    unit = float(distribution.cdf([value])[0])
    for _ in range(16):
        moved = rng.random() if isinstance(distribution, Choice) else np.clip(unit + STEP * rng.normal(), 0.0, 1.0)
        if distribution.quantile(float(moved)) != value:
            return distribution.quantile(float(moved))
    return distribution.quantile(float(rng.random()))


def _places(space: Space, candidate: Candidate) -> list[str]:
    """Return the names of the parameters of a candidate that have more than one value."""
    names: list[str] = []

    def pick(name: str, distribution: Distribution) -> Value:
        names.extend([name] * (distribution.size > 1))
        known = name in candidate and distribution.contains(candidate[name])
        return candidate[name] if known else distribution.quantile(0.5)

    space.choose(pick)
    return names
