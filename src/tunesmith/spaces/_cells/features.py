"""Cells as numbers that a surrogate can learn from."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tunesmith.spaces._cells.cell import Cell

MOST_PATHS = 500
LONGEST = 3


def cell_features(rows: Sequence[Sequence[Cell]]) -> np.ndarray:
    """Return the number of each path's beginning seen in any of the rows, on a logarithmic scale; n x k."""
    counted = [_counted(cells) for cells in rows]
    names = sorted({name for counts in counted for name in counts})
    table = np.zeros((len(rows), len(names)))
    for i, counts in enumerate(counted):
        table[i] = [counts[name] for name in names]
    return np.log1p(table)


def _counted(cells: Sequence[Cell]) -> Counter[tuple[int, tuple[str, ...]]]:
    """Count the paths of each cell and the pieces of up to LONGEST operations in them."""
    counts: Counter[tuple[int, tuple[str, ...]]] = Counter()
    for number, cell in enumerate(cells):
        for path in cell.paths(MOST_PATHS):
            useful = tuple(step for step in path if step not in ("skip_connect", "identity"))
            counts[number, ("path", *useful[:LONGEST], str(len(useful)))] += 1
            counts.update((number, (step,)) for step in useful)
    return counts
