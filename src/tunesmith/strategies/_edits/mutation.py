"""Mutation and crossing of candidates, parameter by parameter."""

import numpy as np

from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.spaces._space import Candidate, Space

# How far a mutated number moves, in shares of its range by its prior.
STEP = 0.15


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
