"""Extrapolated curves: a trial goes on as long as it may still beat the best, judged by what finished trials still gained."""

import math

import numpy as np
import pytest

from tunesmith.errors import SpecError
from tunesmith.registry import build
from tunesmith.schedulers._scheduler import Curve, Scheduler
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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chance": 0.0}, "scheduler.chance: got 0.0; needs a number above 0 and below 0.5"),
        ({"trials": 1}, "scheduler.trials: got 1; needs a whole number from 2"),
        ({"steps": 0}, "scheduler.steps: got 0; needs a whole number from 1"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, float], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build("tunesmith.schedulers", "curve", Scheduler, settings, "scheduler")
    assert str(caught.value) == message
