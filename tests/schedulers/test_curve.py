"""Extrapolated curves: a trial goes on as long as it may still beat the best, judged by what finished trials still gained."""

import math
from itertools import accumulate
from typing import Any

import numpy as np
import pytest

from tunesmith.errors import SpecError
from tunesmith.registry import build
from tunesmith.schedulers._families import forecast
from tunesmith.schedulers._scheduler import Curve, Scheduler, StopRule, check_rules
from tunesmith.schedulers.curve import Extrapolation

STEPS = 20


def bar(step: int, others: dict[int, Curve], scheduler: Extrapolation | None = None) -> float:
    """The bar of trial 99, infinite where there is none."""
    found = (scheduler or Extrapolation()).bar(99, step, others)
    return math.inf if found is None else found


def falling(start: float, end: float, steps: int = STEPS) -> list[float]:
    return [float(loss) for loss in np.linspace(start, end, steps)]


def test_a_trial_goes_on_where_the_finished_ones_gained_what_it_lacks() -> None:
    others = {number: Curve(falling(1.0, 0.1 + number / 100)) for number in range(5)}
    assert Extrapolation().verdict(9, falling(1.0, 0.1)[:10], others) == ""
    assert Extrapolation().verdict(9, [0.55] * 10, others) == ""
    assert Extrapolation().verdict(9, [0.9] * 10, others).startswith("best loss 0.9 after 10 steps, the bar is 0.")


def test_near_the_end_little_is_forgiven() -> None:
    others = {number: Curve(falling(1.0, 0.1 + number / 100)) for number in range(5)}
    bars = [bar(step, others) for step in range(3, STEPS)]
    assert sorted(bars, reverse=True) == bars
    assert 0.1 < bars[-1] < bars[0] < 1.5
    assert bars[-1] < 0.2
    assert bar(STEPS, others) == math.inf, "it has ended by then"


def test_few_finished_trials_forgive_more() -> None:
    many = {number: Curve(falling(1.0, 0.1 + number % 2 / 50)) for number in range(20)}
    few = {number: many[number] for number in range(3)}
    assert math.inf > bar(10, few) > bar(10, many)
    assert bar(10, few, Extrapolation(trials=4)) == math.inf


def test_trials_that_did_not_run_to_their_end_tell_nothing_of_the_end() -> None:
    others = {number: Curve(falling(1.0, 0.1 + number / 100)) for number in range(5)}
    more = others | {7: Curve([0.9] * 15, finished=False), 8: Curve([0.01] * 2)}
    assert Extrapolation().rule(9, more, STEPS) == Extrapolation().rule(9, others, STEPS)


def test_of_trials_that_could_beat_the_best_about_the_chance_is_stopped() -> None:
    rng = np.random.default_rng(0)
    stopped = 0
    for _ in range(2000):
        gains = rng.normal(1.0, 0.2, size=9)
        others = {number: Curve([gain, gain, gain, 0.0]) for number, gain in enumerate(gains[:8])}
        # This one ends just where the best is.
        stopped += bool(Extrapolation(chance=0.1).verdict(9, [gains[8]] * 3, others))
    assert 0.08 < stopped / 2000 < 0.12


FAMILIES = Extrapolation(by="families")
# Losses of an error that may be anything, and of an accuracy to be maximized, which is negated.
GOALS = {"minimize": lambda error: error, "maximize": lambda error: -(1 - error)}


def learned(end: float, pace: float, steps: int, goal: str = "minimize") -> list[float]:
    """The losses of an error that falls from 0.9 to `end`, the sooner the smaller `pace`."""
    return [float(GOALS[goal](end + (0.9 - end) * math.exp(-step / pace))) for step in range(1, steps + 1)]


def finished(goal: str = "minimize", end: float = 0.1) -> dict[int, Curve]:
    return {number: Curve(learned(end + number / 100, 6, 50, goal)) for number in range(4)}


@pytest.mark.parametrize("goal", GOALS)
def test_by_families_a_curve_that_levels_off_beside_the_best_is_stopped_and_told_why(goal: str) -> None:
    verdict = FAMILIES.verdict(9, learned(0.3, 3, 15, goal), finished(goal))
    best, end = (f"{GOALS[goal](error):.4g}" for error in (0.3 + 0.6 * math.exp(-5), 0.1 + 0.8 * math.exp(-50 / 6)))
    assert verdict.startswith(f"best loss {best} after 15 steps, ")
    assert f" expected after 50, the chance to beat {end} is " in verdict


@pytest.mark.parametrize("goal", GOALS)
def test_by_families_a_curve_that_still_falls_steeply_goes_on_though_it_is_far_behind(goal: str) -> None:
    late = learned(0.02, 20, 15, goal)
    assert late[-1] > learned(0.3, 3, 15, goal)[-1]
    assert FAMILIES.verdict(9, late, finished(goal)) == ""
    assert Extrapolation().verdict(9, late, finished(goal)) != "", "what others gained does not know of it"


def test_by_families_the_chance_decides() -> None:
    own = [loss + 0.02 * (-1) ** step for step, loss in enumerate(learned(0.3, 6, 20))]
    outlook = forecast(list(accumulate(own, min)), 50)
    assert outlook
    chance = outlook.chance(finished()[0].best(50))
    assert 0.01 < chance < 0.4
    assert Extrapolation(by="families", chance=0.9 * chance).verdict(9, own, finished()) == ""
    assert Extrapolation(by="families", chance=1.1 * chance).verdict(9, own, finished()) != ""


def test_by_families_nothing_is_stopped_that_is_the_best_already_or_has_reached_the_end() -> None:
    others = finished()
    assert FAMILIES.verdict(9, learned(0.05, 3, 30), others) == ""
    assert FAMILIES.verdict(9, others[0].losses, others) == ""
    assert FAMILIES.verdict(9, learned(0.3, 3, 49), others) != ""
    assert FAMILIES.verdict(9, learned(0.3, 3, 50), others) == ""


def test_by_families_curves_too_short_to_be_fitted_go_on() -> None:
    for steps in range(6):
        assert Extrapolation(by="families", steps=1).verdict(9, [0.9] * steps, finished()) == ""
    assert Extrapolation(by="families", steps=1).verdict(9, [0.9] * 6, finished()) != ""
    assert Extrapolation(by="families", steps=7).verdict(9, [0.9] * 6, finished()) == ""


def test_by_families_few_finished_trials_stop_nothing() -> None:
    few = {number: finished()[number] for number in range(2)}
    running = {7: Curve([0.01] * 50, finished=False), 8: Curve([math.nan] * 50)}
    assert FAMILIES.verdict(9, learned(0.3, 3, 15), few | running) == ""
    assert Extrapolation(by="families", trials=2).verdict(9, learned(0.3, 3, 15), few | running) != ""


def test_by_families_steps_without_a_number_are_no_trouble() -> None:
    own = learned(0.3, 3, 20)
    for bad in (math.nan, math.inf):
        assert FAMILIES.verdict(9, [bad] * 20, finished()) == ""
        assert FAMILIES.verdict(9, [bad, *own[1:10], bad, *own[11:]], finished()) != ""


def test_by_families_the_others_order_changes_nothing_and_no_rule_is_made_beforehand() -> None:
    others, own = finished(), learned(0.3, 3, 15)
    assert FAMILIES.verdict(9, own, dict(reversed(others.items()))) == FAMILIES.verdict(9, own, others)
    assert FAMILIES.rule(9, others, 50) == StopRule()


def test_where_nobody_watches_a_trial_families_are_refused() -> None:
    check_rules(None)
    check_rules(Extrapolation())
    with pytest.raises(SpecError, match=r"scheduler\.by: 'families' judges a trial by its own curve .* engine local"):
        check_rules(FAMILIES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chance": 0.0}, "scheduler.chance: got 0.0; needs a number above 0 and below 0.5"),
        ({"by": "family"}, "scheduler.by: got 'family': Input should be 'gains' or 'families'"),
        ({"trials": 1}, "scheduler.trials: got 1; needs a whole number from 2"),
        ({"steps": 0}, "scheduler.steps: got 0; needs a whole number from 1"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build("tunesmith.schedulers", "curve", Scheduler, settings, "scheduler")
    assert str(caught.value) == message
