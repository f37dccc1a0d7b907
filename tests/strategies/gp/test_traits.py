"""A space's own numbers beside its parameters: they follow from the parameters and take the place of those they tell of."""

import numpy as np
import pytest

from tunesmith.spaces.cells_nasbench201 import EDGES, NASBench201
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.acquire import moved
from tunesmith.strategies._gp.kernel import features
from tunesmith.strategies._gp.traits import TraitCube, trait_cube_of

CELLS = NASBench201(learning_rate={"loguniform": [1e-4, 1e-2]})


@pytest.fixture
def cube() -> TraitCube:
    made = trait_cube_of(CELLS, seed=0)
    assert isinstance(made, TraitCube)
    return made


def drawn(count: int) -> list[dict]:
    rng = np.random.default_rng(1)
    return [CELLS.sample(rng) for _ in range(count)]


def test_a_space_without_traits_has_a_plain_cube() -> None:
    assert not isinstance(trait_cube_of(Parameters({"x": {"uniform": [0, 1]}}), 0), TraitCube)


def test_the_kernel_sees_traits_in_place_of_the_edges_and_the_learning_rate_as_it_is(cube: TraitCube) -> None:
    seen = features(cube.encode(drawn(5)), cube.columns)
    assert {column.name for column in cube.columns if column.told} == set(EDGES)
    assert seen.options.shape[1] == 0
    assert {column.trait for column in cube.columns} == {"", "operations", "paths", "proxies"}
    assert len(set(seen.scales)) == 4


def test_candidates_survive_the_way_to_the_cube_and_back(cube: TraitCube) -> None:
    candidates, rng = drawn(20), np.random.default_rng(0)
    back = [cube.candidate(row, rng) for row in cube.settle(cube.encode(candidates))]
    for candidate, other in zip(candidates, back, strict=True):
        assert {edge: candidate[edge] for edge in EDGES} == {edge: other[edge] for edge in EDGES}
        assert other["learning_rate"] == pytest.approx(candidate["learning_rate"])


def test_what_a_moved_row_settles_to_has_the_traits_of_its_own_candidate(cube: TraitCube) -> None:
    rng = np.random.default_rng(0)
    settled = cube.settle(moved(cube, cube.encode(drawn(6)), 0.1, 4, rng))
    again = cube.encode([cube.candidate(row, rng) for row in settled])
    traits = [bool(column.trait) for column in cube.columns]
    assert np.allclose(settled[:, traits], again[:, traits])


def test_cells_that_are_the_same_are_at_one_place(cube: TraitCube) -> None:
    one = dict.fromkeys(EDGES, "none") | {"1<-0": "nor_conv_3x3", "3<-1": "skip_connect", "learning_rate": 1e-3}
    rows = cube.encode([one, one | {"2<-1": "none"}])
    assert np.allclose(rows[0], rows[1])
