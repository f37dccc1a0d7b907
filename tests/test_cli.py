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
        ["pipeline", "submit"],
        ["pipeline", "schedule"],
        ["pipeline", "unschedule"],
        ["pipeline", "runs"],
        ["registry", "show"],
        ["registry", "rollback"],
        ["registry", "promote"],
        ["ci"],
    ):
        done = tunesmith(folder, *command, "--help")
        assert done.returncode == 0
        assert "tunesmith " + " ".join(command) in done.stdout.split("Examples:")[1]


MISTAKES = {
    "unknown strategy": (
        "strategy: {name: random, seed: 1}",
        "strategy: {name: tpo}",
        "strategy.name: 'tpo' is unknown; allowed: auto, cmaes, ",
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
    "a gate of no model": ("budget:", "gate: {min_accuracy: 0.9}\nbudget:", "gate: is for a trained model"),
    "no such examples": ("evaluation: {", "evaluation: {examples: half, ", "evaluation.examples: got 'half'"),
    "growing data of a function": ("evaluation: {", "evaluation: {examples: growing, ", "a function reads its data itself"),
    "an impossible gate": ("budget:", "gate: {min_accuracy: 95}\nbudget:", "gate.min_accuracy: got 95"),
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


def test_data_that_cannot_be_used_leave_nothing_behind(folder: Path) -> None:
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "search.yaml").write_text("data: {uri: table.csv, target: c}\nspace: {kind: layers}\n")
    done = tunesmith(folder, "search", "search.yaml")
    assert done.returncode == 2
    assert "has no column 'c'" in done.stderr
    assert not (folder / "runs").exists()


def test_what_an_engine_cannot_do_is_told_before_anything_is_made(folder: Path) -> None:
    told = "scheduler.by: 'families' judges a trial by its own curve as it goes; on Katib nobody watches a trial"
    (folder / "search.yaml").write_text(FUNCTION_SEARCH + "scheduler: {name: curve, by: families}\n")
    for engine, message in (("katib", told), ("katip", "engine: 'katip' is unknown; allowed: local, katib")):
        done = tunesmith(folder, "search", "search.yaml", "--engine", engine)
        assert done.returncode == 2
        assert message in " ".join(done.stderr.split())
        assert not (folder / "runs").exists()
    assert tunesmith(folder, "search", "search.yaml").returncode == 0


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


def test_an_edited_objective_is_another_study(folder: Path) -> None:
    tunesmith(folder, "search", "search.yaml")
    source = (folder / "objective.py").read_text()
    (folder / "objective.py").write_text(source.replace("- 1", "- 2"))
    done = tunesmith(folder, "search", "search.yaml")
    assert done.returncode == 2
    assert "evaluation: the function's code was edited" in done.stderr


def test_a_registry_is_filled_shown_and_taken_back_by_hand(folder: Path) -> None:
    for run in ("first", "second"):
        (folder / run / "model").mkdir(parents=True)
        (folder / run / "model" / "model.keras").write_text(run)
        done = tunesmith(folder, "registry", "promote", "models", run)
        assert done.returncode == 0, done.stderr
    first, second = (entry["version"] for entry in json.loads(tunesmith(folder, "registry", "show", "models", "--json").stdout))
    assert tunesmith(folder, "registry", "show", "models").stdout.splitlines()[-1] == f"in use: {second}"
    assert tunesmith(folder, "registry", "rollback", "models").stdout == f"in use: {first} (number 3)\n"
    done = tunesmith(folder, "registry", "rollback", "models", "--to", "nosuch")
    assert done.returncode == 2
    assert f"cannot go back to 'nosuch'; allowed: {second}" in done.stderr
    assert "holds no trained model" in tunesmith(folder, "registry", "promote", "models", ".").stderr


OUTPUTS = {
    "a report in no folder": (["report", "runs/search", "--output", "nodir/r.html"], "nodir/r.html: cannot be written"),
    "a report in a folder's place": (["report", "runs/search", "--output", "."], ".: is a folder; the report is a file"),
    "a report below a file": (
        ["report", "runs/search", "--output", "search.yaml/r.html"],
        "search.yaml/r.html: cannot be written",
    ),
    "a run in a file's place": (
        ["search", "search.yaml", "--folder", "objective.py"],
        "objective.py: is a file; needs a folder",
    ),
    "a run below a file": (["search", "search.yaml", "--folder", "objective.py/a"], "objective.py/a: objective.py is a file"),
    "runs in a file's place": (
        ["pipeline", "run", "tune", "--runs", "objective.py"],
        "objective.py: is a file; needs a folder",
    ),
    "a pipeline below a file": (
        ["pipeline", "compile", "tune", "--output", "objective.py/t.yaml"],
        "objective.py/t.yaml: cannot be",
    ),
}


@pytest.mark.parametrize("mistake", OUTPUTS)
def test_an_output_that_cannot_be_written_is_named_with_exit_code_2(folder: Path, mistake: str) -> None:
    arguments, words = OUTPUTS[mistake]
    if arguments[0] == "report":
        tunesmith(folder, "search", "search.yaml")
    done = tunesmith(folder, *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


TRAINING_SEARCH = """
data: {uri: digits, seed: 0}
space: {kind: layers, convs: 0, dense: [1, 2], optimizer: adam, batch_size: 256}
strategy: {name: random}
evaluation: {epochs: 1}
budget: {trials: 1}
gate: {min_accuracy: 0.999}
"""


def test_a_gate_is_judged_once_everything_is_written_and_other_data_leave_the_run_alone(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text(TRAINING_SEARCH)
    done = tunesmith(tmp_path, "search", "search.yaml", "--no-refit")
    assert done.returncode == 1, done.stderr
    assert "gate failed: accuracy" in done.stderr
    run = tmp_path / "runs/search"
    assert json.loads((run / "summary.json").read_text())["gate"] == "failed"
    assert (run / "report.html").exists()
    assert (run / "exports/onnx").is_dir()
    prepared = {path: path.read_bytes() for path in (run / "dataset").rglob("*") if path.is_file()}
    for change in ("seed: 0", "seed: 1"), ("min_accuracy", "min_r2"):
        (tmp_path / "search.yaml").write_text(TRAINING_SEARCH.replace(*change))
        assert tunesmith(tmp_path, "search", "search.yaml").returncode == 2
        assert {path: path.read_bytes() for path in (run / "dataset").rglob("*") if path.is_file()} == prepared


def test_a_gate_of_the_wrong_task_is_refused_before_the_search(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text(TRAINING_SEARCH.replace("min_accuracy: 0.999", "min_r2: 0.5"))
    done = tunesmith(tmp_path, "search", "search.yaml")
    assert done.returncode == 2
    assert "gate.min_r2: the data are a classification; use min_accuracy" in done.stderr
    assert not (tmp_path / "runs/search/study").exists()
