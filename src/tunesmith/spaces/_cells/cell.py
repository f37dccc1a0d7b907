"""A cell: hidden states, each made of operations on earlier ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Join = Literal["add", "concatenate", "average"]


@dataclass(frozen=True)
class Edge:
    """An operation applied to an earlier state."""

    source: int
    operation: str


@dataclass(frozen=True)
class State:
    """A hidden state: its edges' results, joined."""

    edges: tuple[Edge, ...]
    join: Join = "add"


@dataclass(frozen=True)
class Cell:
    """Hidden states numbered from `inputs`, the number of earlier cells' outputs that the cell reads (states 0, 1, ...).

    outputs: the states that are joined to the cell's own output.
    """

    inputs: int
    states: tuple[State, ...]
    outputs: tuple[int, ...]
    join: Join = "concatenate"

    @cached_property
    def live(self) -> frozenset[int]:
        """The states that the output depends on."""
        found, waiting = set(self.outputs), list(self.outputs)
        while waiting:
            place = waiting.pop()
            sources = {edge.source for edge in self.edges_of(place)} - found
            found |= sources
            waiting += sources
        return frozenset(found)

    def edges_of(self, place: int) -> tuple[Edge, ...]:
        """Return the edges into a state; none for an input."""
        return self.states[place - self.inputs].edges if place >= self.inputs else ()

    def loose(self) -> tuple[int, ...]:
        """Return the hidden states that no other reads."""
        read = {edge.source for state in self.states for edge in state.edges}
        return tuple(place for place in range(self.inputs, self.inputs + len(self.states)) if place not in read)

    def paths(self, most: int) -> Iterator[tuple[str, ...]]:
        """Yield the operations along the first `most` ways from an input to the output; one through `none` is no way."""
        waiting: list[tuple[int, tuple[str, ...]]] = [(place, ()) for place in reversed(self.outputs)]
        while waiting and most:
            place, path = waiting.pop()
            if place < self.inputs:
                most -= 1
                yield path
                continue
            edges = [edge for edge in self.edges_of(place) if edge.operation != "none"]
            waiting += [(edge.source, (edge.operation, *path)) for edge in reversed(edges)]
