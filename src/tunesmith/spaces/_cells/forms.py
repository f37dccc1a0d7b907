"""One text for all cells that are the same, whatever the order of their states and edges, and for no others."""

from collections import Counter
from math import factorial, prod
from typing import Any

from tunesmith.spaces._cells.cell import Cell

# States by place, each with the number of the group that it was told to be in.
Groups = dict[int, int]
# Of more numberings than these one is taken: two texts for the same cell cost a search one trial, not an hour.
MOST_NUMBERINGS = 50_000


def written(cell: Cell) -> str:
    """Return the cell as nested text: each state is what its edges do to their sources, in the order of the alphabet.

    Two states may be made alike and yet have weights of their own; then the text also tells who reads which of them.
    """
    forms = [str(place) for place in range(cell.inputs)]
    for state in cell.states:
        edges = sorted(f"{edge.operation}({forms[edge.source]})" for edge in state.edges)
        forms.append(f"{state.join}[{','.join(edges)}]")
    text = f"{cell.join}[{','.join(sorted(forms[place] for place in cell.outputs))}]"
    states = [place for place in range(cell.inputs, len(forms)) if place in cell.live]
    if len({forms[place] for place in states}) == len(states):
        return text
    return f"{text}|{_least(cell, _numbered({place: forms[place] for place in states}))}"


def _least(cell: Cell, groups: Groups) -> str:
    """Return the first text of all numberings that the groups allow (as McKay, 1981: by parting and trying)."""
    groups = _parted(cell, groups)
    sizes = Counter(groups.values())
    shared = [group for group in sorted(sizes) if sizes[group] > 1]
    if not shared:
        return _wired(cell, groups)
    alike = [place for place in groups if groups[place] == shared[0]]
    # Which of interchangeable states comes first makes no difference.
    first = list({_surroundings(cell, place, groups): place for place in alike}.values())
    if prod(factorial(sizes[group]) for group in shared) > MOST_NUMBERINGS:
        del first[1:]
    return min(_least(cell, {each: 2 * group - (each == place) for each, group in groups.items()}) for place in first)


def _parted(cell: Cell, groups: Groups) -> Groups:
    """Part groups by the groups that their states read and are read by, until nothing changes."""
    while True:
        told = {
            place: (group, _edges(cell, place, groups), _readers(cell, place, groups), place in cell.outputs)
            for place, group in groups.items()
        }
        parted = _numbered(told)
        if len(set(parted.values())) == len(set(groups.values())):
            return parted
        groups = parted


def _edges(cell: Cell, place: int, names: Groups) -> tuple[tuple[str, int], ...]:
    """Return a state's edges by the names of their sources; inputs are named below 0."""
    return tuple(sorted((edge.operation, names.get(edge.source, edge.source - cell.inputs)) for edge in cell.edges_of(place)))


def _readers(cell: Cell, place: int, names: Groups) -> tuple[tuple[int, str], ...]:
    return tuple(
        sorted((name, edge.operation) for each, name in names.items() for edge in cell.edges_of(each) if edge.source == place)
    )


def _surroundings(cell: Cell, place: int, groups: Groups) -> object:
    """Return what interchangeable states share: the very places that they read and are read by."""
    places = {each: each for each in groups}
    return _edges(cell, place, places), _readers(cell, place, places), place in cell.outputs


def _wired(cell: Cell, numbers: Groups) -> str:
    """Return all that a cell is, its states in the order of their numbers."""
    parts = []
    for place in sorted(numbers, key=numbers.__getitem__):
        edges = ",".join(f"{operation}({source})" for operation, source in _edges(cell, place, numbers))
        parts.append(f"{cell.states[place - cell.inputs].join}[{edges}]{'!' if place in cell.outputs else ''}")
    return ";".join(parts)


def _numbered(told: dict[int, Any]) -> Groups:
    """Number states by what is told of each, the same number for the same."""
    order = {each: number for number, each in enumerate(sorted(set(told.values())))}
    return {place: order[each] for place, each in told.items()}
