"""Cells as numbers that a surrogate can learn from: how often operations occur, and which ways lead from input to output.

Ways through a cell tell more of its accuracy than its matrix (White, Neiswanger & Savani, "BANANAS", 2021, section 4).
"""

from collections import Counter
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from tunesmith.spaces._cells.cell import Cell

KINDS = ("operations", "paths")
# Of so many ways at most those features are made; a way is cut to so many operations.
MOST_PATHS = 300
LONGEST = 8
# Ways are too many for a place each.
PLACES = 64
# What a way may leave out: it is the same function without it.
IDLE = frozenset({"skip_connect", "identity"})


def cell_features(cells: Sequence[Cell], operations: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return what tells the cells of one network, on a logarithmic scale: of operations, and of ways; shapes (k,), (l,)."""
    parts = [_of_cell(cell, operations) for cell in cells]
    of_operations, of_paths = (np.concatenate([part[i] for part in parts]) for i in range(2))
    return np.log1p(of_operations), np.log1p(of_paths)


def _of_cell(cell: Cell, operations: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return counts: of edges and of ways by operation, of ways by length; and of ways by what is on them."""
    edges = Counter(edge.operation for state in cell.states for edge in state.edges)
    through: Counter[str] = Counter()
    lengths, ways = np.zeros(LONGEST + 1), np.zeros(PLACES)
    for path in cell.paths(MOST_PATHS):
        useful = [operation for operation in path if operation not in IDLE][:LONGEST]
        through.update(useful)
        lengths[len(useful)] += 1
        ways[crc32("/".join(useful).encode()) % PLACES] += 1
    counts = [[counted[operation] for operation in operations] for counted in (edges, through)]
    return np.concatenate([*map(np.array, counts), lengths]), ways
