"""Median stopping: a trial goes on where it is no worse than the finished trials were on average so far."""

import math

import pytest

from tests.schedulers.test_halving import level, stops
from tunesmith.errors import SpecError
from tunesmith.registry import build
from tunesmith.schedulers._scheduler import Curve, Scheduler
from tunesmith.schedulers.median import Median


def finished(*losses: float, steps: int = 10) -> dict[int, Curve]:
    return {number: level(loss, steps, finished=True) for number, loss in enumerate(losses)}


def test_whoever_is_worse_than_the_median_is_stopped_once_it_has_had_its_steps() -> None:
    others = finished(0.1, 0.2, 0.3, 0.4, 0.5)
    assert stops(Median(), others, 0.31, 6) == [3, 4, 5, 6]
    assert stops(Median(), others, 0.3, 6) == [], "equals go on"
    assert stops(Median(steps=5), others, 0.31, 6) == [5, 6]


def test_nothing_is_stopped_before_enough_trials_have_finished() -> None:
    assert stops(Median(), finished(0.1, 0.2, 0.3, 0.4), 9.0) == []
    assert stops(Median(trials=4), finished(0.1, 0.2, 0.3, 0.4), 9.0, 4) == [3, 4]


def test_running_and_stopped_trials_do_not_count() -> None:
    others = finished(0.1, 0.2, 0.3, 0.4, 0.5)
    assert stops(Median(), others | {number: level(0.0, 9) for number in range(20, 40)}, 0.3) == []


def test_the_others_count_with_their_average_so_far_and_the_trial_with_its_best() -> None:
    others = {number: Curve([0.9, 0.6, 0.3, 0.2]) for number in range(5)}
    assert Median().bar(9, 3, others) == pytest.approx(0.6)
    assert Median().verdict(9, [0.5, 0.9, 0.9], others) == ""
    assert Median().verdict(9, [0.7, 0.7, 0.7], others) == "best loss 0.7 after 3 steps, the bar is 0.6"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_finished_trial_that_never_had_a_number_counts_as_the_worst(bad: float) -> None:
    for place in range(5):
        others = finished(0.1, 0.2, 0.3, 0.4) | {10 + place: level(bad, 10, finished=True)}
        assert stops(Median(), dict(sorted(others.items(), reverse=place % 2 == 1)), 0.31, 3) == [3]
        assert stops(Median(), others, 0.3, 3) == []


def test_steps_without_a_number_are_left_out_of_the_average() -> None:
    assert Median(trials=1).bar(9, 3, {0: Curve([math.nan, 0.4, 0.2])}) == pytest.approx(0.3)


@pytest.mark.parametrize("name", ["trials", "steps"])
def test_settings_below_one_are_named(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        build("tunesmith.schedulers", "median", Scheduler, {name: 0}, "scheduler")
    assert str(caught.value) == f"scheduler.{name}: got 0; needs a whole number from 1"
