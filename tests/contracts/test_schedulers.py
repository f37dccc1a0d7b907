"""The contract of every scheduler, run over all that are found."""

import pytest

from tunesmith.registry import build, discover
from tunesmith.schedulers._scheduler import Scheduler

PACKAGE = "tunesmith.schedulers"
GOOD = {number: [1.0 / step for step in range(1, 11)] for number in range(10)}


@pytest.fixture(params=discover(PACKAGE))
def scheduler(request: pytest.FixtureRequest) -> Scheduler:
    return build(PACKAGE, request.param, Scheduler, {}, "scheduler")


def test_nothing_is_stopped_without_others_to_compare_with(scheduler: Scheduler) -> None:
    assert scheduler.verdict([9.0] * 8, {}) == ""


def test_a_trial_as_good_as_the_others_goes_on(scheduler: Scheduler) -> None:
    for step in range(1, 11):
        assert scheduler.verdict(GOOD[0][:step], GOOD) == ""


def test_a_hopeless_trial_is_stopped_in_the_end_and_told_why(scheduler: Scheduler) -> None:
    verdicts = [scheduler.verdict([9.0] * step, GOOD) for step in range(1, 11)]
    assert verdicts[-1] != ""


def test_a_trial_is_never_judged_by_its_first_step(scheduler: Scheduler) -> None:
    assert scheduler.verdict([9.0], GOOD) == ""


def test_curves_of_other_lengths_are_no_obstacle(scheduler: Scheduler) -> None:
    ragged = {number: curve[: number + 1] for number, curve in GOOD.items()} | {99: []}
    assert isinstance(scheduler.verdict([0.5] * 12, ragged), str)
