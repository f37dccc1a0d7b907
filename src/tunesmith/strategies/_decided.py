"""What a candidate decides: its parameters, in the order in which the space asks for them."""

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Distribution, Value
from tunesmith.spaces._space import Candidate, Space


def decided(space: Space, candidate: Candidate) -> dict[str, Distribution] | None:
    """Return the active parameters of a candidate with their distributions; None where it does not fit the space."""
    found: dict[str, Distribution] = {}

    def pick(name: str, distribution: Distribution) -> Value:
        if name not in candidate or not distribution.contains(candidate[name]):
            raise SpecError(name)
        found[name] = distribution
        return candidate[name]

    try:
        space.choose(pick)
    except SpecError:
        return None
    return found
