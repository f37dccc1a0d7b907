"""The text that tells cells apart: one for isomorphic cells, another for all others."""

from itertools import combinations_with_replacement, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunesmith.spaces._cells.cell import Cell, Edge, State
from tunesmith.spaces._cells.forms import written

Blocks = tuple[tuple[Edge, ...], ...]


def cell(blocks: Blocks) -> Cell:
    bare = Cell(2, tuple(State(edges) for edges in blocks), ())
    return Cell(2, bare.states, bare.loose())


def all_blocks(count: int, operations: str) -> list[Blocks]:
    sides = [[Edge(source, name) for source in range(2 + block) for name in operations] for block in range(count)]
    return list(product(*(combinations_with_replacement(each, 2) for each in sides)))


def renumbered(blocks: Blocks, order: tuple[int, ...]) -> Blocks:
    """The same blocks, of which the one at order[i] now comes at the place i; sources may then come after their readers."""
    places = {0: 0, 1: 1} | {2 + old: 2 + new for new, old in enumerate(order)}
    return tuple(tuple(sorted((Edge(places[e.source], e.operation) for e in blocks[old]), key=repr)) for old in order)


def by_trying(blocks: Blocks) -> str:
    """The first of all orders of the blocks: slow, and beyond doubt."""
    return min(repr(renumbered(blocks, order)) for order in permutations(range(len(blocks))))


@pytest.mark.parametrize(("count", "operations"), [(2, "abc"), (3, "a"), (3, "ab")])
def test_cells_have_one_text_exactly_where_some_order_of_blocks_makes_them_the_same(count: int, operations: str) -> None:
    every = all_blocks(count, operations)
    pairs = {(written(cell(blocks)), by_trying(blocks)) for blocks in every}
    assert len(pairs) == len({text for text, _ in pairs}) == len({order for _, order in pairs})


@st.composite
def reordered_twins(draw: st.DrawFn) -> tuple[Blocks, Blocks]:
    """Cells of up to ten blocks, few of whose sources and operations differ, in two orders."""
    count = draw(st.integers(1, 10))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    reach = draw(st.integers(2, 12))
    blocks = tuple(
        tuple(Edge(int(rng.integers(min(reach, 2 + block))), "ab"[rng.integers(2)]) for _ in range(2)) for block in range(count)
    )
    waiting, order = set(range(count)), []
    while waiting:
        ready = [each for each in sorted(waiting) if all(e.source < 2 or e.source - 2 in order for e in blocks[each])]
        order.append(ready[int(rng.integers(len(ready)))])
        waiting.remove(order[-1])
    return blocks, renumbered(blocks, tuple(order))


@settings(max_examples=300, deadline=None)
@given(reordered_twins())
def test_blocks_in_another_order_are_the_same_cell(pair: tuple[Blocks, Blocks]) -> None:
    assert written(cell(pair[0])) == written(cell(pair[1]))


def test_two_blocks_made_alike_are_not_one_block_read_twice() -> None:
    alike = (Edge(0, "a"), Edge(1, "a"))
    read_twice = cell((alike, (Edge(2, "b"), Edge(2, "b"))))
    read_once_each = cell((alike, alike, (Edge(2, "b"), Edge(3, "b"))))
    assert written(read_twice) != written(read_once_each)


def test_which_of_two_blocks_made_alike_is_read_by_whom_tells_cells_apart() -> None:
    alike = (Edge(0, "a"), Edge(1, "a"))
    crossed = (alike, alike, (Edge(2, "a"), Edge(3, "a")), (Edge(2, "b"), Edge(3, "b")))
    apart = (alike, alike, (Edge(2, "a"), Edge(2, "a")), (Edge(3, "b"), Edge(3, "b")))
    assert written(cell(crossed)) != written(cell(apart))


def test_very_many_blocks_made_alike_are_told_in_no_time() -> None:
    pairs = [(Edge(0, "a"), Edge(1, "a"))] * 12 + [(Edge(place, "b"), Edge(place, "b")) for place in range(2, 14)]
    assert written(cell(tuple(pairs))) == written(cell(tuple(pairs)))
