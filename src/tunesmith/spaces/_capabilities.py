"""What a space may be able to do beside `define`; a strategy names what it needs, and a pair that lacks it is refused."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from tunesmith.data.info import DatasetInfo
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate, Space

if TYPE_CHECKING:
    from tunesmith.spaces._graph.graph import Costs


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
class Expandable(Protocol):
    """A space whose candidates grow: the smallest ones, and the next larger ones of each (Liu et al., 2018: PNAS)."""

    def smallest(self) -> Iterator[dict[str, Value]]:
        """Yield the candidates of one block."""
        ...

    def expand(self, candidate: Candidate) -> Iterator[dict[str, Value]]:
        """Yield the candidates of one block more, none for the largest."""
        ...

    def blocks(self, candidate: Candidate) -> int:
        """Return how many blocks a candidate has, from 1."""
        ...


@runtime_checkable
class Scalable(Protocol):
    """A space whose networks come in sizes, small ones for searching and large ones for the final training."""

    def resized(self, sizes: Mapping[str, int]) -> Space:
        """Return the space of the same candidates as networks of other `stages`, `cells` or `filters`."""
        ...


@runtime_checkable
class Costed(Protocol):
    """A space that knows what its networks cost before they are made."""

    def costs(self, candidate: Candidate, info: DatasetInfo) -> "Costs":
        """Return weights, multiplications and outputs for one example."""
        ...
