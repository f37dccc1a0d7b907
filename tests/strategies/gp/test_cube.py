"""A space as a matrix: what is there and back, what conditions switch off, and that both ways to see a space agree."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunesmith.spaces.code import Code
from tunesmith.spaces.layers import Layers
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.cube import LOOKS_AT_CODE, TracedCube, TreeCube, cube_of

SPACE = Parameters(
    {
        "x": {"uniform": [-1, 1]},
        "units": {"logint": [8, 512]},
        "batch": {"choice": [16, 32, 64, 128]},
        "kind": {"choice": ["a", "b", "c"]},
        "optimizer": {"choice": {"sgd": {"momentum": {"uniform": [0, 1], "step": 0.1}}, "adam": {"beta": {"int": [1, 9]}}}},
        "clipped": {"normal": [0, 1], "clip": [-0.5, 0.5]},
    }
)


@given(st.integers(0, 2**32))
def test_a_settled_row_comes_back_from_its_candidate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cube = TreeCube(SPACE)
    settled = cube.settle(rng.random((3, len(cube.columns))))
    clipped = [column.name for column in cube.columns].index("clipped")
    back = cube.encode([cube.candidate(row, rng) for row in settled])
    free = [j for j in range(len(cube.columns)) if j != clipped]
    np.testing.assert_allclose(back[:, free], settled[:, free], atol=1e-9)
    np.testing.assert_array_equal(cube.settle(np.nan_to_num(settled, nan=0.3))[:, free], settled[:, free])


@given(st.integers(0, 2**32))
def test_declared_conditions_are_those_that_the_space_acts_upon(seed: int) -> None:
    declared, traced = TreeCube(SPACE), TracedCube(SPACE, 0)
    order = [[column.name for column in traced.columns].index(column.name) for column in declared.columns]
    units = np.random.default_rng(seed).random((4, len(order)))
    shuffled = np.empty_like(units)
    shuffled[:, order] = units
    clipped = [column.name for column in declared.columns].index("clipped")
    ours, theirs = declared.settle(units), traced.settle(shuffled)[:, order]
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(np.delete(ours, clipped, 1), np.delete(theirs, clipped, 1), atol=1e-9)


@pytest.mark.parametrize("form", [{"normal": [0, 1]}, {"lognormal": [-6, 1.5]}])
def test_a_prior_without_an_end_is_not_searched_to_the_end_of_floats(form: dict[str, list[float]]) -> None:
    declared = Parameters({"x": form})
    for cube in (TreeCube(declared), TracedCube(declared, 0)):
        ends = cube.settle(np.array([[0.0], [1.0]]))
        found = [cube.candidate(row, np.random.default_rng(0))["x"] for row in ends]
        (mean, deviation), far = next(iter(form.values())), np.array(found, dtype=float)
        far = np.log(far) if "lognormal" in form else far
        np.testing.assert_allclose((far - mean) / deviation, [-3.719, 3.719], atol=0.01)


def test_ordered_numbers_are_no_category() -> None:
    options = {column.name: column.options for column in TreeCube(SPACE).columns}
    assert options["batch"] == 0
    assert options["kind"] == 3
    assert options["optimizer"] == 2


def test_a_program_is_traced() -> None:
    cube = cube_of(Layers(convs=(1, 2), dense=(1, 2)), 0)
    settled = cube.settle(np.random.default_rng(0).random((20, len(cube.columns))))
    assert np.isnan(settled).any()
    assert isinstance(cube, TracedCube)


def test_a_users_function_is_called_a_few_times_only() -> None:
    calls = []

    def build(choose) -> None:
        calls.append(choose.uniform("x", 0, 1))

    cube_of(Code(build), 0)
    assert len(calls) == LOOKS_AT_CODE


@pytest.mark.parametrize("foreign", [{}, {"x": 7.0}, {"x": "text"}, {"other": 1}])
def test_what_does_not_fit_is_missing(foreign: dict[str, object]) -> None:
    assert np.isnan(TreeCube(SPACE).encode([foreign])).all()  # pyright: ignore[reportArgumentType]
