"""The command line: what a user types, what comes back, and what a mistake gets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTION_SEARCH = """
space: {kind: parameters, parameters: {x: {normal: [0, 10]}, kind: {choice: [a, b]}}}
evaluation: {kind: function, function: "objective.py:loss"}
strategy: {name: random, seed: 1}
budget: {trials: 6}
"""


def tunesmith(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tunesmith", *arguments], cwd=folder, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder with a search file and an objective."""
    (tmp_path / "search.yaml").write_text(FUNCTION_SEARCH)
    (tmp_path / "objective.py").write_text(
        "def loss(candidate):\n"
        "    if candidate['kind'] == 'b':\n        raise ValueError('option [b] is not supported')\n"
        "    return (candidate['x'] - 1) ** 2\n"
    )
    return tmp_path


def test_a_search_prints_a_summary_and_writes_it(folder: Path) -> None:
    done = tunesmith(folder, "search", "search.yaml", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["trials"] == 6
    assert summary["failed"] > 0
    assert json.loads((folder / "runs/search/summary.json").read_text()) == summary
    assert Path(folder / summary["outputs"]["report"]).read_text().startswith("<!DOCTYPE html>")


def test_a_finished_search_is_not_run_again_and_can_be_extended(folder: Path) -> None:
    first = json.loads(tunesmith(folder, "search", "search.yaml", "--json").stdout)
    again = json.loads(tunesmith(folder, "search", "search.yaml", "--json").stdout)
    more = json.loads(tunesmith(folder, "search", "search.yaml", "--json", "--trials", "8").stdout)
    assert first["best"] == again["best"]
    assert (again["trials"], more["trials"]) == (6, 8)


def test_the_leaderboard_and_a_trial_can_be_shown(folder: Path) -> None:
    tunesmith(folder, "search", "search.yaml")
    board = json.loads(tunesmith(folder, "study", "show", "runs/search", "--json").stdout)
    assert board["states"]["finished"] + board["states"]["failed"] == 6
    losses = [row["metrics"]["loss"] for row in board["trials"] if row["state"] == "finished"]
    assert losses == sorted(losses)
    failed = next(row for row in board["trials"] if row["state"] == "failed")
    details = tunesmith(folder, "study", "trial", "runs/search", str(failed["trial"])).stdout
    assert "option [b] is not supported" in details
    assert "ValueError: option [b]" in tunesmith(folder, "study", "show", "runs/search").stdout


def test_help_shows_examples(folder: Path) -> None:
    for command in (
        ["search"],
        ["report"],
        ["study", "show"],
        ["study", "trial"],
        ["export"],
        ["pipeline", "run"],
        ["pipeline", "compile"],
    ):
        done = tunesmith(folder, *command, "--help")
        assert done.returncode == 0
        assert "tunesmith " + " ".join(command) in done.stdout.split("Examples:")[1]


MISTAKES = {
    "unknown strategy": (
        "strategy: {name: random, seed: 1}",
        "strategy: {name: tpo}",
        "strategy.name: 'tpo' is unknown; allowed: random, tpe",
    ),
    "misspelt key": ("budget: {trials: 6}", "budget: {trails: 6}", "did you mean 'trials'?"),
    "misspelt section": ("budget:", "buget:", "did you mean 'budget'?"),
    "impossible range": (
        "{normal: [0, 10]}",
        "{uniform: [3, 1]}",
        "space.parameters.x: uniform: low must be less than high, got [3, 1]",
    ),
    "negative budget": ("{trials: 6}", "{trials: -6}", "budget.trials: got -6"),
    "loguniform from 0": ("{normal: [0, 10]}", "{loguniform: [0, 1]}", "low must be above 0 on a logarithmic scale"),
    "duplicate names": ("kind: {choice: [a, b]}", "x: {choice: [a, b]}", "duplicate name 'x'"),
    "no such function": ("objective.py:loss", "objective.py:losses", "objective.py has no function 'losses'"),
    "no such file": ("objective.py:loss", "objectives.py:loss", "there is no file"),
    "broken YAML": ("kind: parameters,", "kind: parameters", "search.yaml: line"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_exit_code_2_and_nothing_written(folder: Path, mistake: str) -> None:
    before, after, words = MISTAKES[mistake]
    assert before in FUNCTION_SEARCH
    (folder / "search.yaml").write_text(FUNCTION_SEARCH.replace(before, after))
    done = tunesmith(folder, "search", "search.yaml")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "runs").exists()


def test_a_missing_search_file_is_named(folder: Path) -> None:
    done = tunesmith(folder, "search", "nowhere.yaml")
    assert done.returncode == 2
    assert "nowhere.yaml: cannot be read" in done.stderr


def test_a_study_of_another_spec_is_refused(folder: Path) -> None:
    tunesmith(folder, "search", "search.yaml")
    (folder / "search.yaml").write_text(FUNCTION_SEARCH.replace("seed: 1", "seed: 2"))
    done = tunesmith(folder, "search", "search.yaml")
    assert done.returncode == 2
    assert "strategy.seed: 1 in the study, 2 now" in done.stderr


def test_a_damaged_record_is_rebuilt_and_that_is_said(folder: Path) -> None:
    tunesmith(folder, "search", "search.yaml")
    (folder / "runs/search/study/study.db").write_bytes(b"garbage" * 100)
    done = tunesmith(folder, "search", "search.yaml", "--trials", "7", "--json")
    assert json.loads(done.stdout)["trials"] == 7
    assert "study.db is damaged (file is not a database): rebuilt from the files of 6 trials" in done.stderr


def test_an_unknown_command_is_named(folder: Path) -> None:
    done = tunesmith(folder, "serch")
    assert done.returncode == 2
    assert "serch" in done.stderr


def test_a_folder_without_a_study_is_named(folder: Path) -> None:
    for command in (["report", "."], ["study", "show", "."], ["export", "."]):
        done = tunesmith(folder, *command)
        assert done.returncode == 2
        assert "error: ." in done.stderr
