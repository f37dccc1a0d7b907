"""The commands as a user types them, in a process of their own, against the server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kfp_client.backend import State, task, tasks
from tests.kfp_client.test_verdict import FAILED_LOG, told

SMALL = ("--set", "trials=1", "--set", "search_space={kind: layers}")
RETRAIN = ("--set", "registry_uri=s3://models/churn")


def tunesmith(folder: Path, state: State, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tunesmith", *arguments]
    variables = {**os.environ, "KFP_ENDPOINT": state.host, "HOME": str(folder), **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=variables)


def test_submit_prints_the_runs_id_and_its_link(state: State, tmp_path: Path) -> None:
    done = tunesmith(tmp_path, state, "pipeline", "submit", "tune", *SMALL)
    assert done.returncode == 0, done.stderr
    run_id = state.runs[0]["run_id"]
    assert done.stdout.split() == [run_id, f"{state.host}/#/runs/details/{run_id}"]


@pytest.mark.parametrize(("end", "code"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_submit_waits_when_it_is_told_to(state: State, tmp_path: Path, end: str, code: int) -> None:
    state.future = [{"state": end, "run_details": tasks(task("prepare-data", end))}]
    done = tunesmith(tmp_path, state, "pipeline", "submit", "tune", *SMALL, "--wait", "--json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["state"] == end
    assert f"prepare-data     {end.lower()}" in done.stderr


def test_schedules_are_made_listed_and_deleted(state: State, tmp_path: Path) -> None:
    make = ("pipeline", "schedule", "retrain", *RETRAIN, "--cron", "0 3 * * 1", "--name", "churn")
    assert tunesmith(tmp_path, state, *make).stdout == "churn: cron 0 0 3 * * 1\n"
    assert tunesmith(tmp_path, state, *make).stdout == "churn: cron 0 0 3 * * 1, as it was\n"
    head, row = tunesmith(tmp_path, state, "pipeline", "schedule", "--list").stdout.splitlines()
    assert head.split() == ["name", "when", "state", "made"]
    assert row.split()[:3] == ["churn", "cron", "0"]
    assert tunesmith(tmp_path, state, "pipeline", "unschedule", "churn").stdout == "churn: deleted\n"
    assert state.schedules == []


def test_runs_are_listed(state: State, tmp_path: Path) -> None:
    state.add_run(display_name="mine")
    done = tunesmith(tmp_path, state, "pipeline", "runs")
    assert "mine  running" in done.stdout
    (run,) = json.loads(tunesmith(tmp_path, state, "pipeline", "runs", "--json").stdout)
    assert run["name"] == "mine"


def test_ci_starts_a_run_waits_and_sums_up(state: State, tmp_path: Path) -> None:
    state.logs["w-system-container-impl-1"] = told("evaluate-model", test_accuracy=0.97)
    state.future = [{"state": "SUCCEEDED", "run_details": tasks(task("evaluate-model", "SUCCEEDED", 1, ("w-1",)))}]
    (tmp_path / "summary.md").write_text("# Job\n")
    done = tunesmith(tmp_path, state, "ci", "tune", *SMALL, "--summary", "summary.md", "--json")
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert verdict["passed"] is True
    assert verdict["figures"] == {"evaluate-model": {"test_accuracy": 0.97}}
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("# Job\n### ✅ tune")
    assert "| evaluate-model | test_accuracy | 0.97 |" in summary


def test_ci_finds_a_run_by_its_id_and_says_why_it_is_not_what_was_asked_for(state: State, tmp_path: Path) -> None:
    state.logs["w-system-container-impl-1"] = FAILED_LOG
    run = state.add_run(state="FAILED", run_details=tasks(task("check-model", "FAILED", 1, ("w-1",))))
    done = tunesmith(tmp_path, state, "ci", run["run_id"])
    assert done.returncode == 1
    assert "failed: check-model: GateFailed: accuracy 0.5000 is below min_accuracy" in done.stderr
    assert "### ❌ tune: failed" in done.stdout


def test_ci_fails_where_a_promotion_was_asked_for_and_the_old_model_stays(state: State, tmp_path: Path) -> None:
    state.future = [{"state": "SUCCEEDED", "run_details": tasks(task("promote-model", "SKIPPED"))}]
    done = tunesmith(tmp_path, state, "ci", "retrain", *RETRAIN, "--require", "promotion")
    assert done.returncode == 1
    assert "failed: the new model was not promoted" in done.stderr


MISTAKES = {
    "an unknown pipeline": (("ci", "tuna"), "pipeline: 'tuna' is unknown"),
    "an unknown parameter": (("ci", "tune", "--set", "trails=3"), "trails: is no parameter"),
    "an impossible time": (("ci", "tune", "--timeout", "soon"), "timeout: got 'soon'"),
    "arguments for a run that is there": (
        ("ci", "6f1d1c1e-5b7e-4f0c-9a57-0d2a4b6f8c11", "--set", "trials=3"),
        "has its arguments already",
    ),
    "a run that is not there": (("ci", "6f1d1c1e-5b7e-4f0c-9a57-0d2a4b6f8c11"), "cannot find the run"),
    "no time for a schedule": (("pipeline", "schedule", "retrain", *RETRAIN), "needs either --cron"),
    "no pipeline for a schedule": (("pipeline", "schedule", "--cron", "0 3 * * 1"), "needs the pipeline's name, or --list"),
    "a platform file that is not there": (("pipeline", "submit", "tune", "--platform", "no.yaml"), "no.yaml: cannot be read"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_exit_code_2_and_nothing_is_started(state: State, tmp_path: Path, mistake: str) -> None:
    arguments, words = MISTAKES[mistake]
    done = tunesmith(tmp_path, state, *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not state.runs
    assert not state.schedules


def test_an_endpoint_that_does_not_answer_gets_exit_code_2(state: State, tmp_path: Path) -> None:
    done = tunesmith(tmp_path, state, "pipeline", "runs", KFP_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 2
    assert "error: http://127.0.0.1:9: cannot be reached: no answer" in done.stderr
    assert "Traceback" not in done.stderr
