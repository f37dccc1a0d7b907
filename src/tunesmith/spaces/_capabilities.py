"""What a space may be able to do beside `define`; a strategy names what it needs, and a pair that lacks it is refused."""

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from tunesmith.data.info import DatasetInfo
from tunesmith.registry import discover, load
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate, Space

if TYPE_CHECKING:
    import keras

    from tunesmith.spaces._graph.graph import Costs


SPACES = "tunesmith.spaces"


def spaces_with(*capabilities: type) -> list[str]:
    """Return the kinds of the spaces that have all these capabilities."""
    return [kind for kind in discover(SPACES) if able(load(SPACES, kind, Space), capabilities)]


def able(space: type, capabilities: tuple[type, ...]) -> bool:
    """Tell whether a class of spaces has all these capabilities."""
    return all(issubclass(space, each) for each in capabilities)


class Parametric(ABC):  # noqa: B024 (a space has it by its word, not by a method)
    """A space whose candidates are told by their parameters' values, as all are that do not deny it (`Space.parametric`).

    Not one whose parameter holds a whole network: where that lies in the unit interval leads back to other networks.
    """

    @classmethod
    def __subclasshook__(cls, subclass: type, /) -> bool:
        return issubclass(subclass, Space) and subclass.parametric


@runtime_checkable
class Featured(Protocol):
    """A space that tells candidates as numbers from which a surrogate learns better than from the parameters."""

    def features(self, candidates: Sequence[Candidate]) -> dict[str, np.ndarray]:
        """Return by kind one row a candidate, n x k, the same k for all candidates of the space."""
        ...

    def featured(self, name: str) -> bool:
        """Tell whether the features tell all about a parameter."""
        ...


@runtime_checkable
class Foretelling(Protocol):
    """A space that tells what zero-cost proxies say of networks before they are trained."""

    def proxies(self, candidates: Sequence[Candidate]) -> dict[str, np.ndarray]:
        """Return by name one finite number a candidate, n; the higher, the better the network should be."""
        ...


@runtime_checkable
class Expandable(Protocol):
    """A space whose candidates grow: the smallest ones, and the next larger ones of each (Liu et al., 2018: PNAS)."""

    def smallest(self) -> Iterator[dict[str, Value]]:
        """Yield the candidates of one block."""
        ...

    def expand(self, candidate: Candidate) -> Iterator[dict[str, Value]]:
        """Yield the candidates of one block more, none for the largest."""
        ...

    def size_of(self, candidate: Candidate) -> int:
        """Return how many blocks a candidate has, from 1."""
        ...


@runtime_checkable
class Scalable(Protocol):
    """A space whose networks come in sizes, small ones for searching and large ones for the final training."""

    def resized(self, sizes: Mapping[str, int]) -> Space:
        """Return the space of the same candidates as networks of other `stages`, `cells` or `filters`."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """A space that can keep what was found and search how that is trained."""

    def tuned(self, candidate: Candidate) -> tuple[Space, Candidate]:
        """Return the space of trainings of a candidate's network, and the training that it has."""
        ...


@runtime_checkable
class Pictured(Protocol):
    """A space whose candidates are drawn before there is a network: a network's repeated parts, say."""

    def pictures(self, candidate: Candidate) -> dict[str, list[dict[str, Any]]]:
        """Return by name what is drawn, each as layers in topological order (evaluation/_describe.py)."""
        ...


@runtime_checkable
class Costed(Protocol):
    """A space that knows what its networks cost before they are made."""

    def costs(self, candidate: Candidate, info: DatasetInfo) -> "Costs":
        """Return weights, multiplications and outputs for one example."""
        ...


@runtime_checkable
class Morphable(Protocol):
    """A space whose candidates are edited one step at a time, from a first one."""

    def origin(self) -> dict[str, Value]:
        """Return the candidate that edits begin with."""
        ...

    def morphs(self, candidate: Candidate, rng: np.random.Generator) -> tuple[dict[str, Value], str] | None:
        """Return a candidate one random edit away, and the edit in words; None where no edit is left."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """A space that tells how far two candidates are apart."""

    def distance(self, one: Candidate, other: Candidate) -> float:
        """Return the distance, from 0, the same both ways."""
        ...


@runtime_checkable
class Inheriting(Protocol):
    """A space whose networks go on with the weights of the one that they were edited from."""

    def inherit(self, child: Candidate, parent: Candidate, parent_model: "keras.Model", child_model: "keras.Model") -> None:
        """Give the child weights by which it computes what the parent does; raises SpecError where there are none."""
        ...
