"""Edits of a candidate and distances by them: the space's own, or of a single parameter's value."""

from collections.abc import Sequence

import numpy as np

from tunesmith.spaces._capabilities import Measurable, Morphable
from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._edits.mutation import mutated

Traced = dict[str, tuple[Distribution, float]]
# A number that moves by this share of its range is as far away as one with another option.
FAR = 0.25


def edit(space: Space, candidate: Candidate, rng: np.random.Generator) -> dict[str, Value] | None:
    """Return a candidate one random edit away; None where there is none."""
    if not isinstance(space, Morphable):
        return mutated(space, candidate, rng)
    edited = space.morphs(candidate, rng)
    return edited[0] if edited else None


class Distances:
    """Distances from any candidate to those told."""

    def __init__(self, space: Space, told: Sequence[Candidate]) -> None:
        self.space, self.told = space, list(told)
        rows = [] if isinstance(space, Measurable) else [_traced(space, candidate) for candidate in told]
        found = {name: distribution for row in rows for name, (distribution, _) in row.items()}
        self.names = list(found)
        self.options = np.array([isinstance(distribution, Choice) for distribution in found.values()], dtype=bool)
        self.table = self._table(rows)

    def to(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return the distances of candidates to all that were told, n x told."""
        if isinstance(self.space, Measurable):
            return np.array([[self.space.distance(each, known) for known in self.told] for each in candidates], dtype=float)
        rows = [_traced(self.space, candidate) for candidate in candidates]
        asked = self._table(rows)[:, None, :]
        apart = np.abs(asked - self.table)
        steps = np.where(self.options, apart > 0, apart / FAR)
        in_one = np.isnan(asked) != np.isnan(self.table)
        strange = np.array([len(row.keys() - set(self.names)) for row in rows])
        return np.where(in_one, 1.0, np.nan_to_num(steps)).sum(axis=2) + strange[:, None]

    def _table(self, rows: Sequence[Traced]) -> np.ndarray:
        """Return where each candidate's values lie in their ranges, NaN for parameters that it lacks."""
        table = [[row[name][1] if name in row else np.nan for name in self.names] for row in rows]
        return np.array(table, dtype=float).reshape(len(rows), len(self.names))


def _traced(space: Space, candidate: Candidate) -> Traced:
    """Return a candidate's parameters with where their values lie in their ranges."""
    found: Traced = {}

    def pick(name: str, distribution: Distribution) -> Value:
        fits = name in candidate and distribution.contains(candidate[name])
        value = candidate[name] if fits else distribution.quantile(0.5)
        found[name] = distribution, float(distribution.cdf([value])[0])
        return value

    space.choose(pick)
    return found
