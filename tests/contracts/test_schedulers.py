"""The contract of every scheduler, run over all that are found."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunesmith.errors import SpecError
from tunesmith.registry import build, discover
from tunesmith.schedulers._scheduler import MOST_TRAVELLING, Curve, Scheduler, StopRule, read_scheduler

PACKAGE = "tunesmith.schedulers"
GOOD = {number: Curve([1.0 / step for step in range(1, 11)]) for number in range(10)}
NUMBERS = range(20, 40)


@pytest.fixture(params=discover(PACKAGE))
def scheduler(request: pytest.FixtureRequest) -> Scheduler:
    return build(PACKAGE, request.param, Scheduler, {}, "scheduler")


def test_nothing_is_stopped_without_others_to_compare_with(scheduler: Scheduler) -> None:
    assert all(scheduler.verdict(number, [9.0] * 8, {}) == "" for number in NUMBERS)


def test_a_trial_as_good_as_the_others_goes_on(scheduler: Scheduler) -> None:
    for number in NUMBERS:
        for step in range(1, 11):
            assert scheduler.verdict(number, GOOD[0].losses[:step], GOOD) == ""


def test_hopeless_trials_are_stopped_before_the_end_and_told_why(scheduler: Scheduler) -> None:
    ended = [any(scheduler.verdict(number, [9.0] * step, GOOD) for step in range(1, 10)) for number in NUMBERS]
    assert sum(ended) > len(ended) / 2


def test_a_trial_is_never_judged_by_its_first_step(scheduler: Scheduler) -> None:
    assert all(scheduler.verdict(number, [9.0], GOOD) == "" for number in NUMBERS)


def test_a_trial_that_has_nothing_to_show_is_no_trouble(scheduler: Scheduler) -> None:
    assert scheduler.verdict(20, [], GOOD) == ""
    for losses in ([math.nan] * 9, [math.inf] * 9, [math.nan, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]):
        verdicts = [scheduler.verdict(number, losses[:step], GOOD) for number in NUMBERS for step in range(2, 10)]
        assert any(verdicts) is not math.isfinite(losses[1])


def test_curves_of_other_lengths_are_no_obstacle(scheduler: Scheduler) -> None:
    ragged = {number: Curve(curve.losses[: number + 1]) for number, curve in GOOD.items()} | {99: Curve([])}
    assert isinstance(scheduler.verdict(20, [0.5] * 12, ragged), str)


def learning_curves(count: int, steps: int, seed: int = 0, sign: int = 1) -> dict[int, Curve]:
    """Noisy losses that fall to different ends; some trials ended early, some were stopped."""
    rng = np.random.default_rng(seed)
    curves = {}
    for number in range(count):
        length = steps if number % 3 else int(rng.integers(0, steps + 1))
        losses = rng.random() + np.exp(-np.arange(length) / 5) + 0.1 * rng.random(length)
        curves[number] = Curve([sign * float(loss) for loss in losses], finished=number % 5 > 1)
    return curves


@pytest.mark.parametrize("count", [0, 3, 4, 5, 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_rule_made_beforehand_says_what_the_verdict_says_at_every_step(scheduler: Scheduler, count: int, sign: int) -> None:
    others = learning_curves(count, 12, sign=sign)
    for number, curve in learning_curves(50, 16, seed=1, sign=sign).items():
        rule = scheduler.rule(number + count, others, 16)
        for step in range(1, len(curve.losses) + 1):
            own = curve.losses[:step]
            assert rule.verdict(own) == scheduler.verdict(number + count, own, others)


def test_curves_told_in_another_order_change_nothing(scheduler: Scheduler) -> None:
    others = learning_curves(30, 12)
    backwards = {number: others[number] for number in reversed(others)}
    assert all(scheduler.rule(number, others, 12) == scheduler.rule(number, backwards, 12) for number in NUMBERS)


def test_a_rule_tells_why_it_stops(scheduler: Scheduler) -> None:
    rules = [scheduler.rule(number, GOOD, 10) for number in NUMBERS]
    verdicts = [rule.verdict([9.0] * step) for step in range(1, 11) for rule in rules]
    said = [verdict for verdict in verdicts if verdict]
    assert said
    assert all(re.fullmatch(r"best loss 9 after \d+ steps, the bar is 0\.\d+", verdict) for verdict in said)


def test_without_others_there_is_no_rule(scheduler: Scheduler) -> None:
    assert scheduler.rule(0, {}, 10) == StopRule()
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
    none = dict.fromkeys(GOOD, Curve([bad] * 10))
    for number in NUMBERS:
        assert scheduler.rule(number, none, 10).verdict([9.0] * 10) == scheduler.verdict(number, [9.0] * 10, none) == ""
        StopRule.decode(scheduler.rule(number, {**GOOD, 50: Curve([bad] * 10)}, 10).encode())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_bad_step_of_another_trial_neither_stops_a_good_trial_nor_spares_all_bad_ones(
    scheduler: Scheduler, bad: float
) -> None:
    spoilt = {number: Curve([bad, *curve.losses[1:]]) if number == 4 else curve for number, curve in GOOD.items()}
    assert all(scheduler.verdict(number, GOOD[0].losses[:step], spoilt) == "" for number in NUMBERS for step in range(2, 10))
    assert any(scheduler.verdict(number, [9.0] * step, spoilt) for number in NUMBERS for step in range(2, 10))


def test_where_all_curves_are_constant_and_equal_nobody_is_stopped(scheduler: Scheduler) -> None:
    for loss in (0.0, 0.1, -0.3, 1e300, 1e-300):
        flat = {number: Curve([loss] * 10, finished=number % 2 == 0) for number in range(12)}
        assert all(scheduler.verdict(number, [loss] * step, flat) == "" for number in NUMBERS for step in range(1, 11))


def test_where_curves_are_constant_the_worst_is_stopped(scheduler: Scheduler) -> None:
    flat = {number: Curve([0.1 * number] * 10) for number in range(12)}
    assert any(scheduler.verdict(number, [5.0] * step, flat) for number in NUMBERS for step in range(2, 10))


def test_one_other_trial_is_enough_for_an_answer(scheduler: Scheduler) -> None:
    for finished in (False, True):
        for losses in ([], [0.5], [0.5] * 10, [math.nan] * 3):
            others = {0: Curve(losses, finished)}
            for number in NUMBERS:
                rule = scheduler.rule(number, others, 12)
                assert [rule.verdict([0.7] * step) for step in range(1, 13)] == [
                    scheduler.verdict(number, [0.7] * step, others) for step in range(1, 13)
                ]
                assert rule.verdict([0.5] * 12) == ""


whatever = st.lists(st.floats(width=32) | st.sampled_from([0.5, 1e308, -1e308]), max_size=12)


@given(st.dictionaries(st.integers(0, 30), st.builds(Curve, whatever, st.booleans()), max_size=12), whatever)
def test_whatever_the_curves_hold_verdict_and_rule_agree_and_the_order_is_no_matter(
    others: dict[int, Curve], own: list[float]
) -> None:
    for name in discover(PACKAGE):
        scheduler = build(PACKAGE, name, Scheduler, {}, "scheduler")
        rule = scheduler.rule(31, others, 12)
        assert all(bar is None or math.isfinite(bar) for bar in rule.thresholds)
        assert rule == scheduler.rule(31, dict(reversed(others.items())), 12)
        assert rule.verdict(own) == scheduler.verdict(31, own, others)
        StopRule.decode(rule.encode())
