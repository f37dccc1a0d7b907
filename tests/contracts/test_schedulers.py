"""The contract of every scheduler, run over all that are found."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunesmith.errors import SpecError
from tunesmith.registry import build, discover
from tunesmith.schedulers._scheduler import MOST_TRAVELLING, Scheduler, StopRule, read_scheduler

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


def learning_curves(count: int, steps: int, seed: int = 0) -> dict[int, list[float]]:
    """Noisy losses that fall to different ends; some trials ended early."""
    rng = np.random.default_rng(seed)
    curves = {}
    for number in range(count):
        length = steps if number % 3 else int(rng.integers(0, steps + 1))
        losses = rng.random() + np.exp(-np.arange(length) / 5) + 0.1 * rng.random(length)
        curves[number] = [float(loss) for loss in losses]
    return curves


@pytest.mark.parametrize("others", [0, 3, 4, 5, 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_rule_made_beforehand_says_what_the_verdict_says_at_every_step(scheduler: Scheduler, others: int, sign: int) -> None:
    finished = {number: [sign * loss for loss in curve] for number, curve in learning_curves(others, 12).items()}
    rule = scheduler.rule(finished, 12)
    for losses in learning_curves(20, 16, seed=1).values():
        for step in range(1, len(losses) + 1):
            own = [sign * loss for loss in losses[:step]]
            assert bool(rule.verdict(own)) == bool(scheduler.verdict(own, finished))


def test_a_rule_tells_why_it_stops(scheduler: Scheduler) -> None:
    rule = scheduler.rule(GOOD, 10)
    verdicts = [rule.verdict([9.0] * step) for step in range(1, 11)]
    assert re.fullmatch(r"best loss 9 after 10 steps, the bar is 0\.\d+", verdicts[-1])


def test_without_others_there_is_no_rule(scheduler: Scheduler) -> None:
    assert scheduler.rule({}, 10) == StopRule()
    assert StopRule().verdict([9.0] * 10) == ""


bars = st.none() | st.floats(-1e6, 1e6) | st.floats(-1e-6, 1e-6)


@given(st.lists(bars, max_size=200))
def test_a_rule_that_has_travelled_is_never_stricter_and_hardly_laxer(thresholds: list[float | None]) -> None:
    rule = StopRule(tuple(thresholds))
    text = rule.encode()
    assert re.fullmatch(r"[\w-]+", text, re.ASCII)
    arrived = StopRule.decode(text).thresholds
    assert len(arrived) == len(thresholds)
    for before, after in zip(thresholds, arrived, strict=True):
        if after is not None:
            assert before is not None
            assert before <= after <= before + 1e-4 * abs(before) + 1e-300
    if thresholds:
        assert (arrived[-1] is None) == (thresholds[-1] is None)
    if len(thresholds) <= MOST_TRAVELLING:
        assert [bar is None for bar in arrived] == [bar is None for bar in thresholds]


def test_a_long_rule_travels_with_some_of_its_thresholds() -> None:
    arrived = StopRule.decode(StopRule((1.0,) * 500).encode()).thresholds
    assert 0 < sum(bar is not None for bar in arrived) <= MOST_TRAVELLING
    assert len(StopRule(tuple(1 / (step + 1) for step in range(500))).encode()) < 300


def test_steps_beyond_the_last_have_the_last_ones_bar() -> None:
    rule = StopRule((None, 0.5))
    assert rule.verdict([1.0]) == ""
    assert rule.verdict([1.0] * 7) == "best loss 1 after 7 steps, the bar is 0.5"
    assert rule.verdict([1.0] * 6 + [0.5]) == ""
    assert rule.verdict([]) == ""


@given(st.lists(bars, max_size=12), st.lists(st.floats(-2, 2), max_size=15))
def test_a_rule_knows_from_a_whole_curve_whether_it_ended_it(thresholds: list[float | None], losses: list[float]) -> None:
    rule = StopRule(tuple(thresholds))
    assert rule.ended(losses) == any(rule.verdict(losses[:step]) for step in range(1, len(losses) + 1))


@pytest.mark.parametrize("text", ["", "auto", "e30", "$$", "é", "eyJhIjoxfQ", StopRule((1.0,)).encode()[:-2]])
def test_a_text_that_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"stop_rule: got .*; needs what StopRule\.encode wrote"):
        StopRule.decode(text)


def test_a_section_names_a_scheduler_and_its_settings(scheduler: Scheduler) -> None:
    assert read_scheduler(None) is None
    assert read_scheduler({"name": type(scheduler).__module__.rpartition(".")[2]}) == scheduler
    with pytest.raises(SpecError, match="scheduler: 'medium' is unknown; allowed: "):
        read_scheduler({"name": "medium"})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_curves_with_numbers_that_are_none_are_borne(scheduler: Scheduler, bad: float) -> None:
    others = {**GOOD, 50: [bad] * 10}
    rule = scheduler.rule(dict.fromkeys(GOOD, [bad] * 10), 10)
    assert rule.verdict([9.0] * 10) == scheduler.verdict([9.0] * 10, dict.fromkeys(GOOD, [bad] * 10)) == ""
    StopRule.decode(scheduler.rule(others, 10).encode())
