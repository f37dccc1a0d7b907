"""What further trials are likely to bring to the front of several objectives."""

import numpy as np
import pytest

from tunesmith.advice._evidence import Evidence, gather
from tunesmith.advice._front import FrontTail, fit_front
from tunesmith.advice._gain import WORTH
from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.pareto import fronts, hypervolume
from tunesmith.study import State, Trial

NAMES = ("error", "latency_ms", "parameters")


def aims(count: int) -> Aims:
    return Aims(tuple(Objective(name) for name in NAMES[:count]))


def evidence(rows: np.ndarray) -> Evidence:
    trials = [Trial(i, {"x": i}, State.FINISHED, dict(zip(NAMES, map(float, row), strict=False))) for i, row in enumerate(rows)]
    return gather(trials, aims(rows.shape[1]))


def told(rows: np.ndarray) -> FrontTail:
    found = fit_front(evidence(rows), aims(rows.shape[1]))
    assert found is not None
    return found


def share(rows: np.ndarray, past: int) -> float:
    """Return the volume of all rows, in shares of the box of the first `past`."""
    low, high = rows[:past].min(axis=0), rows[:past].max(axis=0)
    return hypervolume((rows - low) / (high - low), np.ones(rows.shape[1]))


def trade_off(seed: int, count: int, objectives: int) -> np.ndarray:
    """Random candidates of four parameters, each objective with an optimum of its own."""
    points = np.random.default_rng(seed).random((count, 4))
    places = np.random.default_rng(7).uniform(0.2, 0.8, (objectives, 4))
    return np.stack([((points - place) ** 2).sum(axis=1) for place in places], axis=1)


@pytest.mark.parametrize("objectives", [2, 3])
def test_forecasts_are_calibrated_on_random_searches(objectives: int) -> None:
    """The 80 % interval holds what comes; worthwhile gains come and fronts grow about as often as is foretold."""
    held, foretold, came, chances, grew, expected, gains = [], [], [], [], [], [], []
    for seed in range(40):
        rows = trade_off(seed, 60, objectives)
        tail = told(rows[:40])
        forecast, gain = tail.forecast(20), share(rows, 40) - share(rows[:40], 40)
        held.append(forecast.low <= gain <= forecast.high)
        foretold.append(forecast.worthwhile)
        came.append(gain >= WORTH * tail.way)
        chances.append(tail.forecast(1).chance)
        grew.append(fronts(rows[:41])[40] == 0)
        expected.append(forecast.gain)
        gains.append(gain)
    assert np.mean(held) >= 0.8
    assert np.mean(foretold) == pytest.approx(np.mean(came), abs=0.2)
    assert np.mean(chances) == pytest.approx(np.mean(grew), abs=0.15)
    assert 0.5 < np.mean(expected) / np.mean(gains) < 2


def test_the_way_so_far_is_about_the_volume_beyond_that_of_a_first_trial() -> None:
    rows = trade_off(1, 40, 2)
    assert 0.3 * share(rows, 40) < told(rows).way < share(rows, 40)


def test_a_front_that_goes_on_growing_gains_more_than_one_that_was_found_long_ago() -> None:
    rows = trade_off(3, 40, 2)
    order = np.argsort(rows.sum(axis=1))
    growing, settled = told(rows[order[::-1]]), told(rows[order])
    assert growing.forecast(20).gain > 2 * settled.forecast(20).gain
    assert growing.forecast(1).chance > 2 * settled.forecast(1).chance


def test_more_trials_bring_more() -> None:
    found = [told(trade_off(0, 40, 2)).forecast(trials) for trials in (1, 10, 20, 40)]
    for figure in ("gain", "chance", "worthwhile", "low", "high"):
        values = [getattr(each, figure) for each in found]
        assert values == sorted(values)


@pytest.mark.parametrize("scale", [1e-300, 1e299])
def test_objectives_of_any_scale_are_borne(scale: float) -> None:
    rows = trade_off(0, 40, 2)
    alike = told(rows * [scale, 1.0]).forecast(20)
    assert alike.gain == pytest.approx(told(rows).forecast(20).gain, rel=1e-3)


def test_an_objective_that_never_differs_leaves_the_others_to_decide() -> None:
    rows = trade_off(0, 40, 2)
    rows[:, 1] = 7.0
    assert 0 < told(rows).forecast(20).gain < 1


def test_trials_beyond_a_bound_or_without_an_objective_win_nothing() -> None:
    rows = trade_off(0, 41, 2)
    rows[40] = 0.0
    bound = Constraint("error", "<=", 10.0)
    plain = [Trial(i, {"x": i}, State.FINISHED, {"error": e, "latency_ms": t}) for i, (e, t) in enumerate(rows[:40].tolist())]
    beyond = Trial(40, {"x": 40}, State.FINISHED, {"error": 11.0, "latency_ms": 0.0})
    failed = Trial(41, {"x": 41}, State.FAILED, {})
    given = Aims(aims(2).objectives, (bound,))
    with_more, without = (fit_front(gather(trials, given), given) for trials in ([*plain, beyond, failed], plain))
    assert with_more is not None
    assert without is not None
    assert with_more.trials == without.trials == 40
    assert with_more.way == pytest.approx(without.way)


@pytest.mark.parametrize("rows", [np.ones((30, 2)), np.random.default_rng(0).random((5, 2)), np.ones((0, 2))])
def test_what_cannot_be_foreseen_is_none(rows: np.ndarray) -> None:
    assert fit_front(evidence(rows), aims(2)) is None
