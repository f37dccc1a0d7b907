"""One text for all cells that are the same, whatever the order of their states."""

from tunesmith.spaces._cells.cell import Cell


def written(cell: Cell) -> str:
    """Return the cell as nested text: each state is what its edges do to their sources, in the order of the alphabet."""
    forms = [str(place) for place in range(cell.inputs)]
    for state in cell.states:
        edges = sorted(f"{edge.operation}({forms[edge.source]})" for edge in state.edges)
        forms.append(f"{state.join}[{','.join(edges)}]")
    return f"{cell.join}[{','.join(sorted(forms[place] for place in cell.outputs))}]"
