"""Where a network's blocks are drawn: rows by longest path from the input, in columns split where only one edge passes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.report._blocks import Block

BOX_WIDTH, GAP, ROW_GAP, LANE = 230.0, 26.0, 26.0, 14.0
TITLE_HEIGHT, LINE_HEIGHT = 28.0, 16.0
MARGIN, COLUMN_GAP = 16.0, 44.0
COLUMN_HEIGHT, LEAST_HEIGHT, MOST_COLUMNS = 380.0, 160.0, 4


@dataclass(frozen=True)
class Box:
    """A block's rectangle in pixels; `x` is its middle."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Edge:
    """A connection between two boxes.

    `lane` is the x at which it passes rows on their right or, where it `wraps`, the x between its two columns. It leaves and
    enters a box by the side where nothing stands in the way (`side_out`, `side_in`).
    """

    source: int
    target: int
    lane: float | None = None
    wraps: bool = False
    side_out: bool = True
    side_in: bool = True


@dataclass(frozen=True)
class Layout:
    """Boxes by block, the edges, and the size of the whole."""

    boxes: dict[int, Box]
    edges: list[Edge]
    width: float
    height: float


def box_height(block: Block) -> float:
    """Return the height of a block's box: its title and the lines that it needs."""
    return TITLE_HEIGHT + LINE_HEIGHT * (bool(block.detail or block.parameters) + bool(block.extras))


def lay_out(blocks: Sequence[Block]) -> Layout:
    """Place the blocks; every block lies below its parents, or in a column further right."""
    rows = _rows(blocks)
    edges = [(parent, child) for child, block in enumerate(blocks) for parent in block.parents]
    row_of = {block: position for position, row in enumerate(rows) for block in row}
    boxes: dict[int, Box] = {}
    placed: list[Edge] = []
    left, bottom = MARGIN, 0.0
    for span in _columns(rows, blocks, row_of, edges):
        inside = {block for position in span for block in rows[position]}
        extent = max(len(rows[position]) for position in span) * (BOX_WIDTH + GAP) - GAP
        y = MARGIN
        for position in span:
            boxes |= _place(rows[position], blocks, left + extent / 2, y)
            y += max(box_height(blocks[block]) for block in rows[position]) + ROW_GAP
        lanes, right = _lanes([edge for edge in edges if set(edge) <= inside], row_of, rows, boxes)
        placed += lanes
        entering = (edge for edge in edges if edge[1] in inside and edge[0] not in inside)
        placed += [Edge(*edge, left - COLUMN_GAP / 2, wraps=True) for edge in entering]
        left = max(left + extent, right) + COLUMN_GAP
        bottom = max(bottom, y - ROW_GAP)
    return Layout(boxes, placed, left - COLUMN_GAP + MARGIN, bottom + MARGIN)


def _rows(blocks: Sequence[Block]) -> list[list[int]]:
    depth: list[int] = []
    for block in blocks:
        depth.append(max((depth[parent] + 1 for parent in block.parents), default=0))
    rows: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for position, row in enumerate(depth):
        rows[row].append(position)
    order: dict[int, float] = {}
    for row in rows:
        row.sort(key=lambda block: _middle([order[parent] for parent in blocks[block].parents]))
        order |= {block: place - (len(row) - 1) / 2 for place, block in enumerate(row)}
    return rows


def _middle(places: list[float]) -> float:
    return sum(places) / len(places) if places else 0.0


def _columns(
    rows: list[list[int]], blocks: Sequence[Block], row_of: dict[int, int], edges: list[tuple[int, int]]
) -> list[list[int]]:
    """Return the rows of each column; a column ends only where a single edge leads on to the next row."""
    heights = [max(box_height(blocks[block]) for block in row) + ROW_GAP for row in rows]
    wanted = sum(heights) / min(MOST_COLUMNS, math.ceil(sum(heights) / COLUMN_HEIGHT))
    columns: list[list[int]] = [[]]
    used = 0.0
    for position, height in enumerate(heights):
        passing = [edge for edge in edges if row_of[edge[0]] < position <= row_of[edge[1]]]
        adjoining = len(passing) == 1 and [row_of[end] for end in passing[0]] == [position - 1, position]
        if adjoining and used + height / 2 > wanted and sum(heights[position:]) > LEAST_HEIGHT:
            columns.append([])
            used = 0.0
        columns[-1].append(position)
        used += height
    return columns


def _place(row: list[int], blocks: Sequence[Block], middle: float, y: float) -> dict[int, Box]:
    first = middle - (len(row) - 1) / 2 * (BOX_WIDTH + GAP)
    return {block: Box(first + place * (BOX_WIDTH + GAP), y, box_height(blocks[block])) for place, block in enumerate(row)}


def _lanes(
    edges: list[tuple[int, int]], row_of: dict[int, int], rows: list[list[int]], boxes: dict[int, Box]
) -> tuple[list[Edge], float]:
    """Route the edges that pass rows on the right of what they pass, short ones inside; return them and the right border."""
    border = 0.0
    taken: list[tuple[int, int, float]] = []
    placed = []
    for source, target in sorted(edges, key=lambda edge: (row_of[edge[1]] - row_of[edge[0]], edge)):
        first, last = row_of[source], row_of[target]
        if last == first + 1:
            placed.append(Edge(source, target))
            continue
        lane = max(boxes[block].x for row in rows[first : last + 1] for block in row) + BOX_WIDTH / 2 + LANE
        lane = max([lane, *(x + LANE for start, end, x in taken if start < last and first < end)])
        taken.append((first, last, lane))
        border = max(border, lane)
        outermost = [max(rows[row], key=lambda block: boxes[block].x) for row in (first, last)]
        placed.append(Edge(source, target, lane, side_out=source == outermost[0], side_in=target == outermost[1]))
    return placed, border
