"""Fronts, crowding, hypervolume and knee, against their definitions."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunesmith.pareto import crowding, dominates, fronts, hypervolume, to_ideal, volume_shares

points = st.integers(1, 4).flatmap(
    lambda objectives: st.lists(st.tuples(*[st.integers(0, 5)] * objectives), min_size=1, max_size=25)
)


@given(points)
def test_a_front_is_what_nothing_dominates_once_the_fronts_before_it_are_gone(rows: list[tuple[int, ...]]) -> None:
    losses = np.array(rows, dtype=float)
    found = fronts(losses)
    left, front = set(range(len(rows))), 0
    while left:
        members = {i for i in left if not any(dominates(losses[j], losses[i]) for j in left)}
        assert members == {i for i in range(len(rows)) if found[i] == front}
        left, front = left - members, front + 1


@given(points, st.integers(0, 25))
def test_the_fronts_of_the_first_points_may_be_had_alone(rows: list[tuple[int, ...]], most: int) -> None:
    losses = np.array(rows, dtype=float)
    whole, found = fronts(losses), fronts(losses, most)
    last = found.max()
    assert (found == np.minimum(whole, last)).all()
    assert (found < last).sum() >= min(most, len(rows)) or last == whole.max()


def test_a_point_dominates_what_it_is_nowhere_worse_than_and_somewhere_better() -> None:
    one = np.array([1.0, 2.0])
    assert dominates(one, np.array([1.0, 3.0]))
    assert not dominates(one, one)
    assert not dominates(one, np.array([0.5, 9.0]))


def test_nothing_has_no_fronts() -> None:
    assert len(fronts(np.empty((0, 2)))) == 0


@pytest.mark.parametrize(
    ("losses", "reference", "volume"),
    [
        ([[1.0]], [4.0], 3.0),
        ([[1.0, 2.0], [2.0, 1.0]], [3.0, 3.0], 3.0),
        ([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]], [3.0, 3.0], 3.0),
        ([[1.0, 1.0, 1.0]], [2.0, 3.0, 4.0], 6.0),
        ([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]], [2.0, 2.0, 2.0], 4.0),
        ([[5.0, 0.0]], [3.0, 3.0], 0.0),
        ([[3.0, 0.0]], [3.0, 3.0], 0.0),
    ],
)
def test_the_hypervolume_is_the_volume_that_the_points_dominate(
    losses: list[list[float]], reference: list[float], volume: float
) -> None:
    assert hypervolume(np.array(losses), np.array(reference)) == pytest.approx(volume)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_the_hypervolume_is_the_share_of_random_points_that_are_dominated(objectives: int) -> None:
    rng = np.random.default_rng(0)
    losses = rng.random((12, objectives))
    inside = [(losses <= place).all(axis=1).any() for place in rng.random((20000, objectives))]
    assert hypervolume(losses, np.ones(objectives)) == pytest.approx(np.mean(inside), abs=0.02)


def test_the_ends_of_a_front_are_the_least_crowded_and_a_lonely_point_comes_next() -> None:
    distances = crowding(np.array([[0.0, 10.0], [1.0, 9.0], [5.0, 4.0], [9.0, 1.5], [10.0, 0.0]]))
    assert np.isinf(distances[[0, 4]]).all()
    assert distances[2] > distances[1]


def test_equal_points_are_crowded_but_never_a_fault() -> None:
    assert np.isfinite(crowding(np.ones((4, 2)))).sum() == 2
    assert len(crowding(np.empty((0, 2)))) == 0


def test_the_distance_to_the_ideal_is_measured_in_ranges_of_the_front() -> None:
    front = np.array([[0.0, 100.0], [1.0, 0.0], [0.1, 10.0]])
    assert to_ideal(front, front) == pytest.approx([1.0, 1.0, np.hypot(0.1, 0.1)])


def test_an_objective_in_which_the_front_is_flat_does_not_divide_by_zero() -> None:
    assert to_ideal(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[1.0, 5.0]])) == pytest.approx([0.0, 2.0])


@pytest.mark.filterwarnings("error")
def test_distances_between_the_largest_numbers_are_told_apart() -> None:
    losses = np.array([[-1.7e308, 1.0], [1.7e308, 0.0], [0.0, 0.5], [1.7e308, 1.0]])
    assert to_ideal(losses, losses[:2]) == pytest.approx([1.0, 1.0, np.hypot(0.5, 0.5), np.hypot(1.0, 1.0)])
    distances = to_ideal(np.array([[0.0, 0.0], [1e200, 0.0], [2e200, 0.0]]), np.zeros((1, 2)))
    assert (np.diff(distances) > 0).all()


def test_the_volume_grows_with_every_point_that_nothing_before_dominates() -> None:
    losses = np.array([[4.0, 4.0], [0.0, 2.0], [2.0, 0.0], [3.0, 3.0], [1.0, 1.0]])
    assert volume_shares(losses) == pytest.approx([0.0, 0.5, 0.75, 0.75, 13 / 16])


@given(points)
def test_the_volume_after_each_point_is_that_of_the_points_so_far(rows: list[tuple[int, ...]]) -> None:
    losses = np.array(rows, dtype=float)
    extent = np.where(np.ptp(losses, axis=0) > 0, np.ptp(losses, axis=0), 1.0)
    scaled = (losses - losses.min(axis=0)) / extent
    expected = [hypervolume(scaled[: count + 1], np.ones(losses.shape[1])) for count in range(len(losses))]
    assert volume_shares(losses) == pytest.approx(expected)
