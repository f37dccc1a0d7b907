"""Successive halving: who goes on at a rung, and that nobody else is judged."""

import math

import pytest

from tunesmith.errors import SpecError
from tunesmith.registry import build
from tunesmith.schedulers._scheduler import Curve, Scheduler
from tunesmith.schedulers.halving import Halving


def level(loss: float, steps: int, finished: bool = False) -> Curve:
    return Curve([loss] * steps, finished)


def stops(scheduler: Scheduler, others: dict[int, Curve], loss: float, steps: int = 30) -> list[int]:
    """The steps after which a trial of this loss would be stopped."""
    return [step for step in range(1, steps + 1) if scheduler.verdict(99, [loss] * step, others)]


def test_the_rungs_grow_by_the_factor() -> None:
    others = {0: level(0.1, 100, finished=True)}
    assert stops(Halving(steps=3, factor=3), others, 0.5, 99) == [3, 9, 27, 81]
    assert stops(Halving(steps=2, factor=4), others, 0.5, 99) == [2, 8, 32]
    assert stops(Halving(steps=1, factor=2), others, 0.5, 9) == [1, 2, 4, 8]


def test_the_last_step_is_no_rung_since_the_trial_has_ended() -> None:
    assert stops(Halving(), {0: level(0.1, 27, finished=True)}, 0.5, 27) == [3, 9]


def test_the_best_third_goes_on_the_asking_trial_included() -> None:
    others = {number: level(number / 10, 9) for number in range(1, 9)}
    assert stops(Halving(), others, 0.25, 5) == []
    assert stops(Halving(), others, 0.35, 5) == [3]
    others[9] = level(0.9, 2)
    assert stops(Halving(), others, 0.35, 5) == [3], "a trial that has not come so far does not count"


def test_stopped_and_running_trials_count_at_the_rungs_that_they_reached() -> None:
    others = {0: level(0.2, 3), 1: level(0.3, 5), 2: level(0.4, 9), 3: level(0.5, 20, finished=True)}
    assert stops(Halving(), others, 0.35, 10) == [3]


def test_of_few_trials_the_best_goes_on() -> None:
    assert stops(Halving(), {0: level(0.2, 9)}, 0.1) == []
    assert stops(Halving(), {0: level(0.2, 9)}, 0.2) == [], "equals go on"
    assert stops(Halving(), {0: level(0.2, 9)}, 0.3) == [3, 9]


def test_the_best_loss_so_far_counts() -> None:
    others = {0: Curve([0.1, 0.9, 0.9], finished=False)}
    assert Halving().verdict(1, [0.5, 0.2, 0.2], others)
    assert not Halving().verdict(1, [0.1, 0.9, 0.9], others)
    assert not Halving().verdict(1, [math.nan, 0.1, math.nan], others)


@pytest.mark.parametrize("name", ["halving", "hyperband"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "scheduler.steps: got 0; needs a whole number from 1"),
        ({"factor": 1}, "scheduler.factor: got 1; needs a whole number from 2"),
        ({"rungs": 3}, "scheduler.rungs: unknown key; allowed: steps, factor"),
    ],
)
def test_settings_that_make_no_rungs_are_refused(name: str, settings: dict[str, int], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build("tunesmith.schedulers", name, Scheduler, settings, "scheduler")
    assert str(caught.value) == message
