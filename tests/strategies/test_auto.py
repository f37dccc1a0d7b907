"""What `auto` picks, and that the record tells it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.api import minimize
from tunesmith.leaderboard import leaderboard
from tunesmith.record import Record
from tunesmith.registry import build
from tunesmith.report.collect import collect
from tunesmith.report.html import render_html
from tunesmith.report.markdown import render_markdown
from tunesmith.spaces._space import Space
from tunesmith.spaces.code import Code
from tunesmith.spaces.graphs import Graphs
from tunesmith.spaces.layers import Layers
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import Strategy
from tunesmith.strategies.auto import MOST_FOR_GP, MOST_PARALLEL_FOR_GP, MOST_STOPPED_FOR_GP, Auto
from tunesmith.study import Objective, State, StudyView, Trial

LINE = Parameters({"x": {"uniform": [0, 1]}})
SMALL = Parameters({"n": {"int": [1, 3]}, "cell": {"choice": {"gru": {"units": {"choice": [8, 16]}}, "none": {}}}})
PROGRAM = Code(lambda choose: choose.uniform("x", 0, 1))


def picked(space: Space = LINE, **known: Any) -> str:
    study = StudyView(space, Objective("loss"), **known)
    name, _, why = Auto().describe(study).partition(": ")
    assert why
    return name


def past(count: int) -> dict[str, Any]:
    trials = tuple(Trial(i, {"x": i / count}, State.FINISHED, {"loss": float(i)}) for i in range(count))
    return {"trials": trials, "issued": count}


def stopped(count: int) -> dict[str, Any]:
    """20 trials of which a scheduler stopped the first ones."""
    trials = tuple(replace(trial, state=State.STOPPED) if trial.number < count else trial for trial in past(20)["trials"])
    return {"trials": trials, "issued": 20}


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({}, "gp"),
        ({"budget": 30, "parallel": 4}, "gp"),
        ({"space": SMALL, "budget": 9}, "grid"),
        ({"space": SMALL, "budget": 8}, "gp"),
        ({"space": SMALL}, "gp"),
        ({"space": PROGRAM, "budget": 30}, "tpe"),
        ({"space": Layers(), "budget": 30}, "gp"),
        ({"space": Graphs(), "budget": 30}, "morphism"),
        ({"parallel": MOST_PARALLEL_FOR_GP + 1}, "tpe"),
        ({"others": (Objective("b"), Objective("c"))}, "gp"),
        ({"others": (Objective("b"), Objective("c"), Objective("d"))}, "nsga2"),
        (past(MOST_FOR_GP), "gp"),
        (past(MOST_FOR_GP + 1), "tpe"),
        (stopped(MOST_STOPPED_FOR_GP), "gp"),
        (stopped(MOST_STOPPED_FOR_GP + 1), "tpe"),
    ],
)
def test_the_strategy_follows_from_what_the_study_is(known: dict[str, Any], name: str) -> None:
    assert picked(**known) == name


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "for 1 parameter, no limit of trials and 1 at a time a Gaussian process"),
        ({"space": SMALL, "budget": 8, "parallel": 4}, "for 3 parameters, a budget of 8 trials and 4 at a time"),
        ({"space": Layers(), "budget": 30}, "for a space of kind layers, a budget of 30 trials and 1 at a time"),
    ],
)
def test_the_reason_for_a_process_names_what_was_looked_at(known: dict[str, Any], words: str) -> None:
    study = StudyView(known.pop("space", LINE), Objective("loss"), **known)
    assert Auto().describe(study).startswith(f"gp: {words}")


def test_what_is_picked_answers_as_if_it_had_been_named() -> None:
    study = replace(StudyView(LINE, Objective("loss")), **past(20))
    named = build("tunesmith.strategies", picked(**past(20)), Strategy, {}, "strategy")
    assert Auto().propose(study, 2) == named.propose(study, 2)


def test_the_record_tells_what_was_picked_and_when_that_changed(tmp_path: Path) -> None:
    space = {"n": {"int": [1, 6]}}
    minimize(lambda candidate: candidate["n"], space, trials=3, study=tmp_path)
    minimize(lambda candidate: candidate["n"], space, trials=30, study=tmp_path)
    with Record.read(tmp_path) as record:
        (first, before), (second, after) = record.strategy
    assert (first, second) == (0, 3)
    assert before.startswith("gp: ")
    assert after.startswith("grid: ")
    assert [told["from_trial"] for told in leaderboard(tmp_path, 3)["strategy"]] == [0, 3]
    for text in (render_markdown(collect(tmp_path)), render_html(collect(tmp_path))):
        assert "auto (gp then grid)" in text
        assert "Proposed from trial 3 on by grid" in text


def test_a_strategy_that_the_file_names_needs_no_such_note(tmp_path: Path) -> None:
    result = minimize(lambda candidate: candidate["x"], LINE, strategy="random", trials=2, study=tmp_path)
    assert result.study.strategy == []
    assert "strategy" not in result.outcome.to_json()
