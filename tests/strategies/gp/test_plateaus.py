"""Where losses repeat, and how that keeps proposals away."""

import numpy as np
import pytest

from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.cube import TreeCube
from tunesmith.strategies._gp.kernel import Features, features
from tunesmith.strategies._gp.plateaus import Plateaus, reach_of

SPACE = Parameters({"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}, "c": {"choice": ["u", "v"]}})
CUBE = TreeCube(SPACE)


def at(*rows: tuple[float, float, float]) -> Features:
    return features(CUBE.settle(np.array(rows).reshape(-1, 3)), CUBE.columns)


def some(count: int) -> Features:
    return at(*np.random.default_rng(0).random((count, 3)))


def steps(seen: Features, wide: float) -> np.ndarray:
    """Losses that are the same within squares."""
    column, row = np.floor(seen.numbers / wide).T
    return column * 1000 + row


def test_losses_that_all_differ_reach_nowhere() -> None:
    seen = some(40)
    assert reach_of(seen, np.arange(40.0)) == 0.0
    assert (Plateaus(seen, 0.0).of(some(5)) == 0).all()


def test_wider_plateaus_reach_farther() -> None:
    seen = some(300)
    reaches = [reach_of(seen, steps(seen, wide)) for wide in (0.05, 0.2, 0.6)]
    assert reaches == sorted(set(reaches))
    assert 0 < reaches[0] < 0.1
    assert reaches[-1] > 0.3


def test_failed_trials_are_no_plateau() -> None:
    seen = some(40)
    assert reach_of(seen, np.where(np.arange(40) < 30, np.nan, np.arange(40.0))) == 0.0


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_trials_tell_nothing(count: int) -> None:
    assert reach_of(some(count), np.zeros(count)) == 0.0


def test_the_chance_of_another_value_grows_with_the_distance_to_the_nearest_trial() -> None:
    plateaus = Plateaus(at((0.2, 0.2, 0.1), (0.9, 0.9, 0.1)), 0.2)
    near, farther, far = plateaus.of(at((0.21, 0.2, 0.1), (0.3, 0.2, 0.1), (0.5, 0.6, 0.1)))
    assert near < farther < far < 0


def test_another_category_is_far() -> None:
    plateaus = Plateaus(at((0.2, 0.2, 0.1)), 0.2)
    same, other = plateaus.of(at((0.21, 0.2, 0.1), (0.21, 0.2, 0.9)))
    assert np.exp(same) < 0.1
    assert np.exp(other) > 0.99


@pytest.mark.parametrize("reach", [1e-3, 10.0])
def test_a_known_candidate_itself_has_a_finite_chance_and_slope(reach: float) -> None:
    known = at((0.2, 0.2, 0.1))
    value, slope = Plateaus(known, reach).slope(known.numbers[0], known.options[0])
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
