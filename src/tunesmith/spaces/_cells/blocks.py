"""Cells made of blocks: two earlier states, an operation on each, and a way to join them (Zoph et al., 2018, section 3.1)."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from tunesmith.spaces._cells.cell import Cell, Edge, Join, State
from tunesmith.spaces._cells.network import CellNetwork, draw_cell
from tunesmith.spaces._cells.operations import convolved
from tunesmith.spaces._distributions import Choice, Value
from tunesmith.spaces._graph.graph import Draft
from tunesmith.spaces._graph.layers import Activation, Conv, Normalization
from tunesmith.spaces._graph.shaping import Concatenate, Pool
from tunesmith.spaces._space import Chooser

# The states 0 and 1 are the outputs of the cell before the last one, and of the last one.
INPUTS = 2
# Filters of the first convolution, and how often it and the two reductions after it halve the image, before the stages.
STEM_FILTERS, STEM_HALVINGS = 32, 3


class Earlier(Choice):
    """The states that a block may read: another would make a cycle, or is none of the cell's."""

    def describe(self) -> str:
        return f"{super().describe()}, for a block reads earlier states only"


# Strategies walk through a space thousands of times for one proposal: what may be chosen is made, and checked, once.
@lru_cache(maxsize=64)
def _earlier(states: int) -> Earlier:
    return Earlier(tuple(range(states)))


@lru_cache(maxsize=64)
def _one_of(options: tuple[str, ...]) -> Choice:
    return Choice(options)


def choose_cell(
    choose: Chooser, prefix: str, blocks: int, operations: Sequence[str], joins: Sequence[Join], output: Join = "concatenate"
) -> Cell:
    """Choose a cell of so many blocks, of whose states those that no block reads are joined to the output."""
    of_operations, of_joins, states = _one_of(tuple(operations)), _one_of(tuple(joins)), []
    for block in range(1, blocks + 1):
        edges = []
        for side in ("left", "right"):
            source = choose(f"{prefix}block{block}.{side}", _earlier(block + 1))
            edges.append(Edge(source, choose(f"{prefix}block{block}.{side}_operation", of_operations)))
        join = joins[0] if len(joins) == 1 else choose(f"{prefix}block{block}.join", of_joins)
        states.append(State(tuple(edges), join))
    cell = Cell(INPUTS, tuple(states), ())
    return Cell(INPUTS, cell.states, cell.loose(), output)


def one_block_more(prefix: str, block: int, operations: Sequence[str]) -> Iterator[dict[str, Value]]:
    """Yield the parameters of a block, each pair of sources and operations once, whichever is the left one."""
    sides = [(source, operation) for source in range(block + 1) for operation in operations]
    for place, left in enumerate(sides):
        for right in sides[: place + 1]:
            names = ("left", "left_operation", "right", "right_operation")
            yield {f"{prefix}block{block}.{name}": value for name, value in zip(names, (*left, *right), strict=True)}


def draw_stages(draft: Draft, network: CellNetwork, stem: str) -> int:
    """Draw stem and stages of cells that read the two cells before them; returns the output.

    A cell of stride 2 begins each stage but the first: the reduction cell, else the normal one (Liu et al., 2018). The stem
    `imagenet` halves the image three times.
    """
    normal, stack = network.cells["normal"], network.stack
    reduction = network.cells.get("reduction", normal)
    filters = stack.filters
    pair = _stem(draft, stem, filters, reduction)
    for stage in range(stack.stages):
        if stage:
            filters *= 2
            pair = pair[1], _draw(draft, reduction, pair, filters, 2)
        for _ in range(stack.cells):
            pair = pair[1], _draw(draft, normal, pair, filters, 1)
    return draft.add(Activation(), pair[1])


def _stem(draft: Draft, stem: str, filters: int, reduction: Cell) -> tuple[int, int]:
    """Draw what is before the stages; returns the places of the two last outputs."""
    if stem == "cifar":
        last = draft.chain(0, [Conv(filters), Normalization()])
        return last, last
    last = draft.chain(0, [Conv(STEM_FILTERS, stride=2), Normalization()])
    pair = last, last
    for share in (4, 2):
        pair = pair[1], _draw(draft, reduction, pair, max(filters // share, 1), 2)
    return pair


def _draw(draft: Draft, cell: Cell, pair: tuple[int, int], filters: int, stride: int) -> int:
    before, last = pair
    squeezed = draft.chain(last, convolved(Conv(filters, (1, 1))))
    return draw_cell(draft, cell, (_adjusted(draft, before, last, filters), squeezed), filters, stride)


def _adjusted(draft: Draft, before: int, last: int, filters: int) -> int:
    """Bring the output of the cell before the last one to the size of the last one's, and to `filters`."""
    if before == last:
        return before
    if draft.shape(before)[:2] != draft.shape(last)[:2]:
        active = draft.add(Activation(), before)
        # Two halves, which see different pixels, so that no pixel goes by unseen.
        halves = [
            draft.chain(active, [Pool("average", size, 2), Conv(part, (1, 1))])
            for size, part in ((1, filters // 2), (2, filters - filters // 2))
            if part
        ]
        joined = draft.add(Concatenate(), *halves) if len(halves) > 1 else halves[0]
        return draft.add(Normalization(), joined)
    if draft.shape(before)[-1] != filters:
        return draft.chain(before, convolved(Conv(filters, (1, 1))))
    return before
