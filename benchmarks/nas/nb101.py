"""Tables of NAS-Bench-101's form, whose cells grow vertex by vertex: a CSV of `matrix`, `ops` and accuracies.

`matrix`: rows of an upper triangle joined by `/`; `ops`: -1 the input, -2 the output, else an operation's number.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations, product
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from folder import read_each
from tunesmith.spaces._cells.cell import Cell as States, Edge, State
from tunesmith.spaces._cells.features import KINDS, cell_features
from tunesmith.spaces._distributions import Choice, Int, Value
from tunesmith.spaces._space import Candidate, Chooser, Space

OPERATIONS = ("conv3x3", "conv1x1", "maxpool3x3")
MOST = 3
EPOCHS = "e4"
# Edges, and the operations of the inner vertices.
Cell = tuple[frozenset[tuple[int, int]], tuple[str, ...]]


@dataclass(frozen=True)
class GrowingCells(Space):
    """The cells of a table: up to three inner vertices between input and output, an operation on each.

    accuracies: (validation, test) by the cell's form.
    """

    accuracies: Mapping[str, tuple[float, float]] = field(repr=False, default_factory=dict)

    def define(self, choose: Chooser) -> Cell:
        inner = choose("vertices", Int(0, MOST))
        operations = tuple(choose(f"vertex{place}.operation", Choice(OPERATIONS)) for place in range(1, inner + 1))
        pairs = [(start, end) for end in range(1, inner + 2) for start in range(end)]
        edges = frozenset(
            pair for pair in pairs if choose(f"vertex{_name(pair[1], inner)}.reads{pair[0]}", Choice((False, True)))
        )
        return edges, operations

    def identity(self, candidate: Candidate) -> str:
        return form_of(self.realize(candidate)) or "no way from the input to the output"

    def accuracy(self, candidate: Candidate) -> float:
        """Return a cell's validation accuracy in %; 0 for what is no cell of the table."""
        return 100 * self.accuracies.get(self.identity(candidate), (0.0, 0.0))[0]

    def sample(self, rng: np.random.Generator) -> dict[str, Value]:
        while True:
            candidate = super().sample(rng)
            if form_of(self.realize(candidate)) in self.accuracies:
                return candidate

    def smallest(self) -> Iterator[dict[str, Value]]:
        """Yield the cells of at most one inner vertex."""
        for inner in (0, 1):
            yield from self._known(inner, product(OPERATIONS, repeat=inner), _subsets(inner))

    def expand(self, candidate: Candidate) -> Iterator[dict[str, Value]]:
        """Yield the cells that have one vertex more, which the output reads, with or without any of those before."""
        edges, operations = self.realize(candidate)
        inner = max(len(operations), 1)
        if len(operations) < 1 or inner == MOST:
            return
        before = {(start, end) for start, end in edges if end <= inner}
        for operation in OPERATIONS:
            for read in _chosen(range(inner + 1)):
                for kept in _chosen(range(inner + 1)):
                    new = {(start, inner + 1) for start in read} | {(start, inner + 2) for start in (*kept, inner + 1)}
                    found = self._as_candidate((*operations, operation), before | new)
                    if form_of(self.realize(found)) in self.accuracies:
                        yield found

    def features(self, candidates: Sequence[Candidate]) -> dict[str, np.ndarray]:
        """Return the features of Tunesmith's cells: a vertex's operation counts on each edge into it."""
        rows = [cell_features([_as_cell(self.realize(candidate))], OPERATIONS) for candidate in candidates]
        return {kind: np.array([row[i] for row in rows]) for i, kind in enumerate(KINDS)}

    def featured(self, name: str) -> bool:
        return bool(name)

    def size_of(self, candidate: Candidate) -> int:
        """Return the number of inner vertices, at least 1."""
        return max(int(candidate["vertices"] or 0), 1)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "nb101"}

    def _known(self, inner: int, operations: Any, edges: Any) -> Iterator[dict[str, Value]]:
        for chosen, pairs in product(list(operations), list(edges)):
            candidate = self._as_candidate(tuple(chosen), set(pairs))
            if form_of(self.realize(candidate)) in self.accuracies:
                yield candidate

    def _as_candidate(self, operations: tuple[str, ...], edges: set[tuple[int, int]]) -> dict[str, Value]:
        inner = len(operations)
        found: dict[str, Value] = {"vertices": inner}
        found |= {f"vertex{place}.operation": operation for place, operation in enumerate(operations, 1)}
        for end in range(1, inner + 2):
            found |= {f"vertex{_name(end, inner)}.reads{start}": (start, end) in edges for start in range(end)}
        return found


def _as_cell(cell: Cell) -> States:
    edges, operations = cell
    inner = range(1, len(operations) + 1)
    reads = {place: sorted(start for start, end in edges if end == place) for place in (*inner, len(operations) + 1)}
    states = tuple(State(tuple(Edge(start, operations[place - 1]) for start in reads[place])) for place in inner)
    return States(1, states, tuple(reads[len(operations) + 1]))


def _name(place: int, inner: int) -> str:
    return "out" if place == inner + 1 else str(place)


def _subsets(inner: int) -> Iterator[tuple[tuple[int, int], ...]]:
    pairs = [(start, end) for end in range(1, inner + 2) for start in range(end)]
    yield from _chosen(pairs)


def _chosen(items: Any) -> Iterator[tuple[Any, ...]]:
    listed = list(items)
    for taken in product((False, True), repeat=len(listed)):
        yield tuple(item for item, is_in in zip(listed, taken, strict=True) if is_in)


@cache
def form_of(cell: Cell) -> str:
    """Return one text for all isomorphic cells; vertices that no way from input to output passes are left out."""
    edges, operations = cell
    last = len(operations) + 1
    ahead, back = _reached({0}, edges), _reached({last}, frozenset((end, start) for start, end in edges))
    kept = [place for place in range(1, last) if place in ahead & back]
    if last not in ahead:
        return ""
    forms = []
    for order in permutations(kept):
        places = {0: 0, last: len(kept) + 1} | {old: new for new, old in enumerate(order, 1)}
        moved = sorted((places[start], places[end]) for start, end in edges if start in places and end in places)
        forms.append(f"{[operations[old - 1] for old in order]} {moved}")
    return min(forms)


def _reached(places: set[int], edges: frozenset[tuple[int, int]]) -> set[int]:
    while more := {end for start, end in edges if start in places} - places:
        places = places | more
    return places


def find(data: Path) -> dict[str, GrowingCells]:
    """Return the spaces of all such files in a folder, by the files' names; of repeated rows the mean counts."""
    return dict(read_each(data, (".csv.gz",), _of_file))


def _of_file(file: Path) -> Iterator[tuple[str, GrowingCells]]:
    lines = gzip.decompress(file.read_bytes()).decode(errors="replace").splitlines()
    if lines and {"matrix", "ops", f"valid_acc_{EPOCHS}"} <= set(next(csv.reader(lines[:1]))):
        yield file.name.split(".")[0], GrowingCells(_accuracies(csv.DictReader(lines)))


def _accuracies(rows: Any) -> dict[str, tuple[float, float]]:
    collected: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        matrix, numbers = row["matrix"].split("/"), [int(number) for number in row["ops"].split(",")]
        edges = frozenset((i, j) for i, line in enumerate(matrix) for j, cell in enumerate(line) if cell == "1")
        form = form_of((edges, tuple(OPERATIONS[number] for number in numbers[1:-1])))
        collected.setdefault(form, []).append((float(row[f"valid_acc_{EPOCHS}"]), float(row[f"test_acc_{EPOCHS}"])))
    return {form: (mean(a for a, _ in both), mean(b for _, b in both)) for form, both in collected.items()}
