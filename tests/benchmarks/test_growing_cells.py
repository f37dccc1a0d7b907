"""Tables of cells that grow: isomorphic cells are one, and growing reaches every cell of the table."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from nas import nb101

ROWS = """matrix,ops,valid_acc_e4,test_acc_e4
010/001/000,"-1,0,-2",0.5,0.4
0110/0010/0001/0000,"-1,0,1,-2",0.6,0.5
0110/0010/0001/0000,"-1,0,1,-2",0.8,0.7
0101/0010/0001/0000,"-1,0,2,-2",0.7,0.6
"""


@pytest.fixture
def space(tmp_path: Path) -> nb101.GrowingCells:
    (tmp_path / "cells.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    return nb101.find(tmp_path)["cells"]


def test_repeated_rows_are_averaged(space: nb101.GrowingCells) -> None:
    assert sorted(round(test, 6) for _, test in space.accuracies.values()) == [0.4, 0.6, 0.6]


def test_the_order_of_vertices_does_not_matter_and_idle_ones_are_left_out() -> None:
    one = nb101.form_of((frozenset({(0, 1), (0, 2), (1, 3), (2, 3)}), ("conv3x3", "conv1x1")))
    other = nb101.form_of((frozenset({(0, 1), (0, 2), (1, 3), (2, 3)}), ("conv1x1", "conv3x3")))
    idle = nb101.form_of((frozenset({(0, 1), (1, 3), (0, 2)}), ("conv3x3", "conv1x1")))
    assert one == other
    assert idle == nb101.form_of((frozenset({(0, 1), (1, 2)}), ("conv3x3",)))
    assert nb101.form_of((frozenset({(0, 1)}), ("conv3x3",))) == ""


def test_growing_the_smallest_reaches_the_larger_cells(space: nb101.GrowingCells) -> None:
    smallest = list(space.smallest())
    grown = [larger for cell in smallest for larger in space.expand(cell)]
    reached = {space.identity(cell) for cell in [*smallest, *grown]}
    assert reached == set(space.accuracies)
    assert {space.size_of(cell) for cell in grown} == {2}


def test_features_tell_cells_apart_and_isomorphic_ones_not(space: nb101.GrowingCells) -> None:
    cells = [larger for cell in space.smallest() for larger in space.expand(cell)]
    rows = np.concatenate(list(space.features(cells).values()), axis=1)
    told = {}
    for cell, row in zip(cells, rows, strict=True):
        told.setdefault(space.identity(cell), set()).add(tuple(row))
    assert len(set.union(*told.values())) >= len(told)


def test_draws_are_cells_of_the_table(space: nb101.GrowingCells) -> None:
    rng = np.random.default_rng(0)
    assert all(space.accuracy(space.sample(rng)) > 0 for _ in range(20))
    assert space.accuracy({"vertices": 0, "vertexout.reads0": False}) == 0
