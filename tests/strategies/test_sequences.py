"""What `sobol` and `grid` cover of a space."""

import numpy as np
import pytest
from scipy.stats import qmc

from tunesmith.errors import SpaceExhausted, SpecError
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies.grid import Grid
from tunesmith.strategies.random import Random
from tunesmith.strategies.sobol import Sobol
from tunesmith.study import Objective, StudyView

PLANE = Parameters({"x": {"uniform": [0, 1]}, "y": {"loguniform": [1, 10]}})


def points(strategy: Sobol | Random, count: int) -> np.ndarray:
    proposals = strategy.propose(StudyView(PLANE, Objective("loss")), count)
    return np.array([[p.candidate["x"], np.log10(float(p.candidate["y"] or 0))] for p in proposals])


def test_a_sequence_covers_a_space_more_evenly_than_random_draws() -> None:
    assert qmc.discrepancy(points(Sobol(), 64)) < 0.2 * qmc.discrepancy(points(Random(), 64))


def test_every_quarter_of_a_range_gets_its_share() -> None:
    assert [
        int(((quarter <= points(Sobol(), 16) * 4) & (points(Sobol(), 16) * 4 < quarter + 1)).sum()) for quarter in range(4)
    ] == [8] * 4


def test_a_grid_has_the_middles_of_equal_shares_of_a_continuous_prior() -> None:
    space = Parameters({"x": {"uniform": [0, 1]}, "n": {"int": [1, 2]}})
    proposals = Grid(points=2).propose(StudyView(space, Objective("loss")), 4)
    assert sorted((p.candidate["x"], p.candidate["n"]) for p in proposals) == [(0.25, 1), (0.25, 2), (0.75, 1), (0.75, 2)]
    with pytest.raises(SpaceExhausted, match="all 4 candidates"):
        Grid(points=2).propose(StudyView(space, Objective("loss")), 5)


def test_a_grid_is_not_walked_from_a_corner() -> None:
    space = Parameters({"a": {"int": [1, 50]}, "b": {"int": [1, 50]}})
    proposals = Grid().propose(StudyView(space, Objective("loss")), 20)
    assert len({p.candidate["a"] for p in proposals}) > 10


def test_a_branch_of_a_condition_has_its_own_points() -> None:
    space = Parameters({"kind": {"choice": {"a": {"x": {"normal": [0, 1]}}, "b": {}}}})
    proposals = Grid(points=3).propose(StudyView(space, Objective("loss")), 4)
    assert sorted(len(p.candidate) for p in proposals) == [1, 2, 2, 2]


def test_a_grid_of_no_points_is_refused() -> None:
    with pytest.raises(SpecError, match="points: got 0"):
        Grid(points=0)
