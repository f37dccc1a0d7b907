"""Aging evolution (Real et al., 2019, "Regularized evolution for image classifier architecture search", algorithm 1).

The population is the latest trials that have ended, so that what was lucky once dies of age. Each proposal is a child of the
best of a few members drawn at random: a mutation of it, now and then crossed with a second one. There are no generations, and
no worker waits for another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Inheriting, Morphable
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space, canonical
from tunesmith.strategies._edits.mutation import crossed
from tunesmith.strategies._edits.neighbours import edit
from tunesmith.strategies._strategy import Strategy, draw_unseen
from tunesmith.study import Proposal, StudyView, Trial


@dataclass(frozen=True)
class Evolution(Strategy):
    """Mutates the best of a random sample of the latest trials.

    population: how many of the latest trials live; the first so many are random. None: a fifth of the budget, 8 to 30. sample:
    how many of them compete to be the parent. None: half of them. crossover: the share of children that have two parents, where
    the space has no edits. inherit: whether networks that grow by edits go on with their parent's weights.
    """

    population: int | None = None
    sample: int | None = None
    crossover: float = 0.5
    inherit: bool = True

    def __post_init__(self) -> None:
        if self.population is not None and self.population < 2:
            raise SpecError(f"population: got {self.population}; needs a whole number from 2")
        if self.sample is not None and not 1 <= self.sample <= (self.population or self.sample):
            most = f" to the population of {self.population}" if self.population else ""
            raise SpecError(f"sample: got {self.sample}; needs a whole number from 1{most}")
        if not 0 <= self.crossover <= 1:
            raise SpecError(f"crossover: got {self.crossover}; needs a number from 0 to 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        told = self.names_parents(study.space)
        for _ in range(count):
            bred: dict[str, int] = {}
            candidate = draw_unseen(study, lambda view, rng, bred=bred: self._draw(view, rng, bred))
            proposals.append(Proposal(candidate, bred.get(canonical(candidate)) if told else None))
            study = study.with_running(candidate)
        return proposals

    def names_parents(self, space: Space) -> bool:
        return self.inherit or not isinstance(space, Inheriting)

    def _draw(self, study: StudyView, rng: np.random.Generator, bred: dict[str, int]) -> dict[str, Value]:
        """Return a child, and note in `bred` whose it is; a network of edits goes on with that one's weights."""
        places = {number: place for place, number in enumerate(study.best_first())}
        population = self.population or _usual_population(study.budget)
        living = sorted((trial for trial in study.trials if trial.number in places), key=lambda trial: trial.number)
        if len(living) < population or study.issued < population:
            return study.space.sample(rng)
        living = living[-population:]
        parent = self._winner(living, places, rng)
        candidate = dict(parent.candidate)
        if not isinstance(study.space, Morphable) and rng.random() < self.crossover:
            candidate = crossed(study.space, candidate, self._winner(living, places, rng).candidate, rng)
        child = edit(study.space, candidate, rng) or candidate
        bred[canonical(child)] = parent.number
        return child

    def _winner(self, living: Sequence[Trial], places: dict[int, int], rng: np.random.Generator) -> Trial:
        size = min(self.sample or max(len(living) // 2, 2), len(living))
        drawn = rng.choice(len(living), size=size, replace=False)
        return min((living[i] for i in drawn), key=lambda trial: places[trial.number])


def _usual_population(budget: int | None) -> int:
    return 16 if budget is None else min(max(budget // 5, 8), 30)
