"""What to do with each parameter next."""

from typing import Any

import pytest

from tests.advice.studies import NESTED, content, nested_loss, random_trials
from tunesmith.advice._moves import Move
from tunesmith.advice.advise import advise_on
from tunesmith.spaces._distributions import Choice, Distribution
from tunesmith.study import State, Trial


def moves(parameters: dict[str, Any], trials: list[Trial]) -> dict[str, Move]:
    return {move.key.name: move for move in advise_on(content(parameters), trials).moves}


@pytest.fixture(scope="module")
def nested() -> dict[str, Move]:
    return moves(NESTED, random_trials(NESTED, nested_loss, 100))


def ends(distribution: Distribution) -> tuple[Any, Any]:
    return distribution.quantile(0.0), distribution.quantile(1.0)


def test_a_range_is_narrowed_to_where_the_best_quarter_lies(nested: dict[str, Move]) -> None:
    move = nested["rate"]
    assert move.action == "narrow"
    low, high = ends(move.after)
    assert 1e-5 < low < 1e-3 < high < 0.5
    assert "the best 25 trials lie between" in move.reason


def test_what_has_no_influence_is_fixed_to_the_value_of_the_best_trial() -> None:
    trials = random_trials(NESTED, nested_loss, 100)
    best = min(trials, key=lambda trial: trial.metrics["loss"])
    move = moves(NESTED, trials)["idle"]
    assert (move.action, move.after) == ("fix", Choice((best.candidate["idle"],)))
    assert f"that of trial {best.number}" in move.reason


def test_too_few_trials_fix_nothing_and_say_how_many_would() -> None:
    move = moves(NESTED, random_trials(NESTED, nested_loss, 25))["idle"]
    assert move.action == "keep"
    assert "40 trials are needed to call it unimportant, there are 25" in move.reason


def test_an_option_that_dominates_the_best_is_fixed(nested: dict[str, Move]) -> None:
    move = nested["optimizer"]
    assert (move.action, move.after) == ("fix", Choice(("adam",)))
    assert move.reason.startswith("2")
    assert "of the best 25 have adam" in move.reason


def test_a_parameter_that_hardly_any_good_trial_has_is_left_alone(nested: dict[str, Move]) -> None:
    assert nested["momentum"].action == "keep"
    assert "4 are needed" in nested["momentum"].reason


def test_an_option_that_no_good_trial_has_is_left_out() -> None:
    parameters = {"kind": {"choice": ["a", "b", "c"]}, "x": {"uniform": [0, 1]}}
    trials = random_trials(parameters, lambda c: 2 * (c["kind"] == "c") + c["x"], 60)
    move = moves(parameters, trials)["kind"]
    assert (move.action, move.after) == ("narrow", Choice(("a", "b")))
    assert "none of the best 15 has c" in move.reason


def test_a_range_is_widened_where_the_best_crowd_its_end() -> None:
    parameters = {"x": {"loguniform": [1e-4, 1e-2]}, "y": {"uniform": [0, 1]}}
    move = moves(parameters, random_trials(parameters, lambda c: -c["x"], 80))["x"]
    assert move.action == "widen"
    assert ends(move.after)[1] == pytest.approx(0.1)
    assert ends(move.after)[0] > 1e-4
    assert "most of them next to 0.01" in move.reason


def test_the_end_of_a_share_is_no_reason_to_go_beyond_it() -> None:
    parameters = {"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}}
    move = moves(parameters, random_trials(parameters, lambda c: -c["x"], 80))["x"]
    assert move.action == "narrow"
    assert ends(move.after)[1] == 1.0


def test_failed_trials_show_what_to_leave_out() -> None:
    parameters = {"kind": {"choice": ["a", "b", "c"]}, "x": {"uniform": [0, 1]}}
    trials = random_trials(parameters, lambda c: c["x"], 60)
    trials = [Trial(t.number, t.candidate, State.FAILED) if t.candidate["kind"] == "b" else t for t in trials]
    assert moves(parameters, trials)["kind"].after == Choice(("a", "c"))
