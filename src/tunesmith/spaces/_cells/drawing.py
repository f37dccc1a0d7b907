"""A cell as layers for a drawing: its inputs, the operation on each edge, and what joins them."""

from typing import Any

from tunesmith.spaces._cells.cell import Cell, Join
from tunesmith.spaces._cells.operations import NONE

# Titles by the word that an operation's name has; a drawing colours boxes by such words.
TITLES = {
    "skip": "Identity",
    "identity": "Identity",
    "max": "MaxPool",
    "average": "AveragePool",
    "avg": "AveragePool",
    "separable": "SeparableConv",
    "dilated": "DilatedConv",
    "conv": "Conv",
}
JOINS: dict[Join, str] = {"add": "Add", "concatenate": "Concatenate", "average": "Average"}


def describe_cell(cell: Cell) -> list[dict[str, Any]]:
    """Return the cell's parts in topological order, in the form in which a network is described (evaluation/_describe.py).

    What the output does not depend on is left out, and edges without an operation are.
    """
    earlier = ["cell before", "previous cell"][-cell.inputs :]
    parts = [_part(f"input {i}", "InputLayer", name, []) for i, name in enumerate(earlier) if i in cell.live]
    names = {place: f"input {place}" for place in range(cell.inputs)}
    for place, state in enumerate(cell.states, cell.inputs):
        if place not in cell.live:
            continue
        drawn = []
        for number, edge in enumerate(edge for edge in state.edges if edge.operation != NONE):
            drawn.append(f"state {place} operation {number}")
            parts.append(_part(drawn[-1], _title(edge.operation), edge.operation, [names[edge.source]]))
        names[place] = _joined(parts, f"state {place}", state.join, drawn)
    _joined(parts, "output", cell.join, [names[place] for place in cell.outputs])
    return parts


def _joined(parts: list[dict[str, Any]], name: str, join: Join, sources: list[str]) -> str:
    """Add what joins the sources, where there are several; returns the name by which the result is read."""
    if len(sources) == 1:
        return sources[0]
    parts.append(_part(name, JOINS[join] if sources else "Zeros", name, sources))
    return name


def _title(operation: str) -> str:
    words = operation.split("_")
    title = next((TITLES[word] for word in words if word in TITLES), operation)
    return " ".join([title, *(word for word in words if word[0].isdigit())])


def _part(name: str, kind: str, detail: str, inputs: list[str]) -> dict[str, Any]:
    return {"name": name, "type": kind, "detail": detail, "inputs": inputs}
