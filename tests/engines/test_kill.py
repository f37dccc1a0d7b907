"""Killing a search at any moment loses at most what was running, and nothing finished is run again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tunesmith.record import Record
from tunesmith.study import State

KILLS = 20
TRIALS = 400

SCRIPT = """
import sys, time
from pathlib import Path
import tunesmith

def function(candidate, context):
    with open("started.log", "a") as log:
        log.write(f"{context.number}\\n")
    context.report(1, {"loss": candidate["x"]})
    time.sleep(0.02)
    return candidate["x"]

result = tunesmith.minimize(function, {"x": tunesmith.uniform(0, 1)}, strategy="random", trials=int(sys.argv[1]), parallel=2,
                            study="study")
print(len(result.study.trials()))
"""


def begin(folder: Path, trials: int) -> subprocess.Popen[str]:
    (folder / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", str(trials)]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def started(folder: Path) -> list[int]:
    log = folder / "started.log"
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def finished(folder: Path) -> dict[int, dict[str, float]]:
    """What the files say of finished trials, read without opening the record."""
    outcomes = (folder / "study" / "trials").glob("*/outcome.json")
    return {int(path.parent.name): json.loads(path.read_text())["metrics"] for path in outcomes}


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def assert_whole(folder: Path, trials: int) -> None:
    with Record.read(folder / "study") as record:
        assert [trial.number for trial in record.trials()] == list(range(trials))
        assert all(trial.state is State.FINISHED for trial in record.trials())
        assert {trial.number: trial.metrics for trial in record.trials()} == finished(folder)


def test_a_killed_search_goes_on_where_it_was(tmp_path: Path) -> None:
    moments = random.Random(0)
    done: dict[int, dict[str, float]] = {}
    for _ in range(KILLS):
        before = len(started(tmp_path))
        process = begin(tmp_path, TRIALS)
        wait_for(lambda: len(started(tmp_path)) > before or process.poll() is not None)
        time.sleep(moments.uniform(0, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_for(lambda: not group_members(process.pid))
        assert not set(started(tmp_path)[before:]) & set(done), "a finished trial was run again"
        now = finished(tmp_path)
        assert done.items() <= now.items(), "a finished trial was lost"
        done = now
    assert 0 < len(done) < TRIALS, "the kills must hit a search under way"
    out, err = begin(tmp_path, len(done) + 10).communicate(timeout=120)
    assert out.split() == [str(len(done) + 10)], err
    assert_whole(tmp_path, len(done) + 10)


def group_members(group: int) -> list[int]:
    """The processes of a killed search that are still there: workers end themselves when their parent is gone."""
    members = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
        except (ProcessLookupError, psutil.Error):
            continue
    return members


def test_killed_workers_are_replaced_and_their_trials_run_again(tmp_path: Path) -> None:
    moments = random.Random(1)
    process = begin(tmp_path, 200)
    killed = 0
    while killed < KILLS and process.poll() is None:
        time.sleep(moments.uniform(0.02, 0.08))
        workers = busy_workers(process)
        if workers:
            os.kill(moments.choice(workers), signal.SIGKILL)
            killed += 1
    out, err = process.communicate(timeout=120)
    assert killed == KILLS
    assert out.split() == ["200"], err
    with Record.read(tmp_path / "study") as record:
        trials = record.trials()
        begun = started(tmp_path)
        assert all(begun.count(trial.number) <= trial.attempts for trial in trials), "a finished trial was run again"
        states = {trial.state for trial in trials}
        assert states <= {State.FINISHED, State.FAILED}
        assert all(trial.attempts == 3 for trial in trials if trial.state is State.FAILED)
        assert len(trials) == 200


def busy_workers(process: subprocess.Popen[str]) -> list[int]:
    """Worker processes of the search: the children of its fork server."""
    try:
        servers = psutil.Process(process.pid).children()
        return [worker.pid for server in servers for worker in server.children()]
    except psutil.Error:
        return []


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_search_ends_clean_and_goes_on(tmp_path: Path, sign: signal.Signals) -> None:
    (tmp_path / "objective.py").write_text(
        "import time\n\ndef loss(candidate):\n    time.sleep(0.05)\n    return candidate['x']\n"
    )
    (tmp_path / "search.yaml").write_text(
        "space: {kind: parameters, parameters: {x: {uniform: [0, 1]}}}\n"
        "evaluation: {kind: function, function: 'objective.py:loss'}\n"
        "strategy: {name: random}\nbudget: {trials: 150, parallel: 2}\n"
    )
    command = [sys.executable, "-m", "tunesmith", "search", "search.yaml", "--folder", "run"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: len(list(tmp_path.glob("run/study/trials/*/outcome.json"))) >= 5)
    os.killpg(process.pid, sign) if sign == signal.SIGINT else os.kill(process.pid, sign)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert "Traceback" not in err
    wait_for(lambda: not group_members(process.pid))
    done = len(list(tmp_path.glob("run/study/trials/*/outcome.json")))
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"resuming: {done} of 150 trials are done" in again.stderr
    with Record.read(tmp_path / "run/study") as record:
        assert len(record.trials()) == 150
