"""What is ranked: cells of one block more than the best, or neighbours of the best, one parameter away."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from tunesmith.spaces._capabilities import Expandable
from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._decided import decided
from tunesmith.strategies._edits.mutation import another, mutated
from tunesmith.strategies._progressive.stages import thinned
from tunesmith.study import Trial

# Reading a cell takes a third of a millisecond.
MOST_EXPANSIONS = 12_000
# Of a parameter of more values so many others are looked at.
MOST_VALUES = 8
# How far all numbers move, in shares of their ranges, from the least to the most.
STEPS = 0.02, 0.3
# Of a space that is slow to run so many mutations.
MOST_SLOW = 12


def expansions(
    space: Space, trials: Sequence[Trial], level: int, beam: int, rng: np.random.Generator
) -> Iterator[dict[str, Value]]:
    """Yield all that the best `beam` trials of the level below expand to, of the next lower one where that has none.

    None at level 0. Of more than MOST_EXPANSIONS each parent's share is drawn at random.
    """
    if not level or not isinstance(space, Expandable):
        return
    sizes = {trial.number: space.size_of(trial.candidate) for trial in trials}
    below = max((size for size in sizes.values() if size < level), default=0)
    parents = [trial for trial in trials if sizes[trial.number] == below]
    for parent in parents[:beam]:
        yield from thinned(space.expand(parent.candidate), MOST_EXPANSIONS // min(beam, len(parents)), rng)


def neighbours(space: Space, trials: Sequence[Trial], beam: int, rng: np.random.Generator) -> Iterator[dict[str, Value]]:
    """Yield what differs from one of the best `beam` trials in one parameter, and in what depends on it.

    Of a space that is slow to run: a few mutations.
    """
    parents = [trial.candidate for trial in trials[:beam]]
    if not space.quick:
        yield from (mutated(space, parents[place % len(parents)], rng) for place in range(MOST_SLOW))
        return
    for parent in parents:
        found = decided(space, parent) or {}
        for name, distribution in found.items():
            for value in _others(parent[name], distribution, rng):
                yield completed(space, {**parent, name: value}, rng)
        yield from _jolted(space, parent, found, rng)


def completed(space: Space, wanted: Candidate, rng: np.random.Generator) -> dict[str, Value]:
    """Return the candidate of the wanted values; what is not active is left out, what they lack is drawn."""

    def pick(name: str, distribution: Distribution) -> Value:
        fits = name in wanted and distribution.contains(wanted[name])
        return wanted[name] if fits else distribution.quantile(float(rng.random()))

    return space.choose(pick)


def _others(value: Value, distribution: Distribution, rng: np.random.Generator) -> Iterator[Value]:
    if isinstance(distribution, Choice) and distribution.size <= MOST_VALUES:
        values = [distribution.value_at(place) for place in range(int(distribution.size))]
        yield from (other for other in values if other != value or type(other) is not type(value))
    elif distribution.size > 1:
        yield from islice(iter(lambda: another(value, distribution, rng), None), MOST_VALUES)


def _jolted(
    space: Space, candidate: Candidate, found: dict[str, Distribution], rng: np.random.Generator
) -> Iterator[dict[str, Value]]:
    """Yield what has all numbers moved at once, by little or by much: one at a time does not lead down a narrow valley."""
    numbers = {name: distribution for name, distribution in found.items() if not isinstance(distribution, Choice)}
    units = {name: float(distribution.cdf([candidate[name]])[0]) for name, distribution in numbers.items()}
    for step in np.geomspace(*STEPS, MOST_VALUES if len(numbers) > 1 else 0):
        moved = {name: np.clip(unit + step * rng.normal(), 0.0, 1.0) for name, unit in units.items()}
        values = {name: numbers[name].quantile(float(unit)) for name, unit in moved.items()}
        yield completed(space, {**candidate, **values}, rng)
