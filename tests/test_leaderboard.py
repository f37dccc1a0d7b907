"""What `tunesmith study show` tells of several objectives."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.advice.studies import content, record
from tunesmith.aims import Aims
from tunesmith.leaderboard import leaderboard, print_leaderboard
from tunesmith.record import Record
from tunesmith.search import outcome
from tunesmith.study import State, Trial
from tunesmith.summary import make_summary

A_AND_B = [{"metric": "a", "goal": "minimize"}, {"metric": "b", "goal": "minimize"}]
POINTS = [(4.0, 4.0), (0.0, 2.0), (2.0, 0.0), (3.0, 3.0), (1.0, 1.0)]
GROWN = [(0, 0.0), (1, 0.5), (2, 0.75), (4, 0.8125)]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    trials = [Trial(n, {"x": n / 10}, State.FINISHED, {"a": a, "b": b}) for n, (a, b) in enumerate(POINTS)]
    return record(tmp_path / "study", content({"x": {"uniform": [0, 1]}}, objectives=A_AND_B), trials)


def test_the_hypervolume_is_told_in_a_line_and_wherever_it_grew_as_data(study: Path) -> None:
    board = leaderboard(study, 5)
    assert [(each["trial"], each["share"]) for each in board["hypervolume"]] == GROWN
    shown = io.StringIO()
    print_leaderboard(board, Console(file=shown, width=200))
    assert "hypervolume 0.812 since trial 4, 0.750 at half of that\n" in shown.getvalue()


def test_the_summary_holds_the_hypervolume(study: Path) -> None:
    with Record.read(study) as read:
        told = outcome(read, Aims.of(read.content)).to_json()
    summary = make_summary(told, None, 1.0, {})
    assert [(each["trial"], each["share"]) for each in summary["hypervolume"]] == GROWN


def test_one_objective_has_no_hypervolume(tmp_path: Path) -> None:
    search = content({"x": {"uniform": [0, 1]}})
    trials = [Trial(n, {"x": n / 10}, State.FINISHED, {"loss": float(n)}) for n in range(3)]
    assert "hypervolume" not in leaderboard(record(tmp_path / "one", search, trials), 5)
