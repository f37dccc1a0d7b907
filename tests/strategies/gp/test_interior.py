"""Where the best is taken to lie before trials have shown it."""

import numpy as np

from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.cube import TreeCube
from tunesmith.strategies._gp.interior import BEST, Interior, interior_of
from tunesmith.strategies._gp.kernel import Features, features

SPACE = Parameters({"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}, "few": {"int": [1, 4]}, "c": {"choice": ["u", "v"]}})
CUBE = TreeCube(SPACE)
NOTHING = np.zeros((0, 4))


def at(rows: np.ndarray) -> Features:
    return features(CUBE.settle(rows), CUBE.columns)


def prior(best: np.ndarray = NOTHING, reach: float = 0.0) -> Interior:
    return interior_of(CUBE.columns, at(best), reach)


def of(found: Interior, x: float, y: float, few: float = 0.5) -> float:
    return float(found.of(at(np.array([[x, y, few, 0.1]])))[0])


def test_an_end_is_less_likely_than_the_inside_and_a_corner_less_than_an_end() -> None:
    corner, end, inside, middle = (of(prior(), x, y) for x, y in ((0.0, 1.0), (0.0, 0.6), (0.3, 0.6), (0.501, 0.501)))
    assert corner < end < inside < middle


def test_inside_it_hardly_matters_and_an_end_can_be_outweighed() -> None:
    assert np.log(0.7) < of(prior(), 0.2, 0.8) - of(prior(), 0.501, 0.501) < 0
    assert np.exp(of(prior(), 0.0, 0.5)) > 0.2


def test_candidates_with_more_numbers_are_neither_more_nor_less_likely() -> None:
    numbers = {name: {"uniform": [0, 1]} for name in "abcd"}
    nested = TreeCube(Parameters({"algorithm": {"choice": {"without": {}, "with": numbers}}}))
    rows = np.random.default_rng(0).random((20000, 5))
    asked = features(nested.settle(rows), nested.columns)
    densities = np.exp(interior_of(nested.columns, asked.at(np.arange(0)), 0.0).of(asked))
    without = rows[:, 0] < 0.5
    assert (densities[without] == 1).all()
    assert abs(densities[~without].mean() - 1) < 0.01


def test_the_first_of_a_few_values_is_as_likely_as_any() -> None:
    assert of(prior(), 0.4, 0.4, 0.0) == of(prior(), 0.4, 0.4, 0.6)


def test_an_end_at_which_the_best_trials_lie_is_as_likely_as_the_inside_and_the_other_end_is_not() -> None:
    shown = prior(np.tile([0.01, 0.5, 0.5, 0.1], (BEST, 1)))
    assert of(shown, 0.0, 0.4) == of(shown, 0.3, 0.4)
    cost, usual = (of(one, 0.7, 0.4) - of(one, 1.0, 0.4) for one in (shown, prior()))
    assert abs(cost - usual) < 1e-12
    assert usual > 0


def test_trials_that_are_not_among_the_best_show_nothing() -> None:
    best, others = np.tile([0.5, 0.5, 0.5, 0.1], (BEST, 1)), np.tile([0.0, 0.5, 0.5, 0.1], (20, 1))
    assert of(prior(np.vstack([best, others])), 0.0, 0.5) == of(prior(), 0.0, 0.5)


def test_where_values_reach_far_the_ends_are_as_likely_as_anything_else() -> None:
    ends = [of(prior(reach=reach), 0.0, 0.5) for reach in (0.0, 0.05, 0.3)]
    assert ends == sorted(set(ends))
    assert ends[-1] == 0
