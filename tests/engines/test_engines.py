"""What every engine of this machine does with good and bad trials."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.engines.searches import SPACE, run
from tunesmith.engines._books import HOPELESS
from tunesmith.engines._engine import Engine, Limits
from tunesmith.engines.inline import Inline
from tunesmith.engines.local import Local
from tunesmith.errors import SpecError, TunesmithError
from tunesmith.schedulers.median import Median
from tunesmith.spaces.parameters import Parameters
from tunesmith.study import State


@pytest.fixture(params=[Inline, Local])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param()


def test_every_trial_of_the_budget_is_run_and_recorded(tmp_path: Path, engine: Engine) -> None:
    trials = run(tmp_path, lambda candidate: candidate["x"] ** 2, Limits(5), engine)
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4]
    assert all(trial.metrics["loss"] == trial.candidate["x"] ** 2 for trial in trials)


def test_engines_give_the_same_leaderboard(tmp_path: Path) -> None:
    one, other = (
        run(tmp_path / type(engine).__name__, lambda candidate: candidate["x"], Limits(6), engine)
        for engine in (Inline(), Local())
    )
    assert [(trial.candidate, trial.metrics) for trial in one] == [(trial.candidate, trial.metrics) for trial in other]


def test_a_failure_has_its_reason_and_the_search_goes_on(tmp_path: Path, engine: Engine) -> None:
    def function(candidate):
        if candidate["kind"] == "b":
            raise ValueError("b does not work")
        return candidate["x"]

    trials = run(tmp_path, function, Limits(8), engine)
    failed = [trial for trial in trials if trial.state is State.FAILED]
    assert 0 < len(failed) < 8
    assert all("ValueError: b does not work" in trial.reason and "test_engines.py" in trial.reason for trial in failed)
    assert "Traceback" in (tmp_path / "trials" / str(failed[0].number) / "log").read_text()


def test_nan_is_a_failed_trial(tmp_path: Path, engine: Engine) -> None:
    trials = run(tmp_path, lambda candidate: float("nan") if candidate["kind"] == "b" else 1.0, Limits(6), engine)
    assert {trial.state for trial in trials if trial.candidate["kind"] == "b"} == {State.FAILED}
    assert all("nan" in trial.reason.lower() for trial in trials if trial.state is State.FAILED)


def test_a_search_in_which_nothing_works_ends_with_the_reason(tmp_path: Path, engine: Engine) -> None:
    def function(candidate):
        raise RuntimeError("no data")

    words = f"first {HOPELESS} trials all failed.*\n  {HOPELESS} times: RuntimeError: no data"
    with pytest.raises(TunesmithError, match=words):
        run(tmp_path, function, Limits(100), engine)


def test_reported_steps_are_the_curve(tmp_path: Path, engine: Engine) -> None:
    from tunesmith.record import Record

    def function(candidate, context):
        for step in range(1, 4):
            context.report(step, {"loss": 1 / step, "broken": float("nan")})
        return 0.1

    run(tmp_path, function, Limits(1), engine)
    with Record.read(tmp_path) as record:
        assert record.curve(0) == [(1, {"loss": 1.0}), (2, {"loss": 0.5}), (3, {"loss": 1 / 3})]


def test_a_scheduler_stops_a_hopeless_trial(tmp_path: Path, engine: Engine) -> None:
    def function(candidate, context):
        level = 1.0 if context.number < 6 else 100.0
        for step in range(1, 9):
            context.report(step, {"loss": level})
        return level

    trials = run(tmp_path, function, Limits(8), engine, Median(trials=5, steps=3))
    assert [trial.state for trial in trials[:6]] == [State.FINISHED] * 6
    assert trials[7].state is State.STOPPED
    assert "the bar is 1" in trials[7].reason
    assert trials[7].metrics["loss"] == 100.0


def test_an_exhausted_space_ends_the_search(tmp_path: Path, engine: Engine) -> None:
    space = Parameters({"a": {"choice": [1, 2]}, "b": {"int": [1, 3]}})
    trials = run(tmp_path, lambda candidate: candidate["a"], Limits(50), engine, space=space)
    assert len({trial.key for trial in trials}) == len(trials) == 6


def test_more_trials_continue_a_study(tmp_path: Path, engine: Engine) -> None:
    first = run(tmp_path, lambda candidate: candidate["x"], Limits(3), engine)
    more = run(tmp_path, lambda candidate: candidate["x"], Limits(5), engine)
    assert more[:3] == first
    assert len(more) == 5


def test_no_trial_is_started_after_the_hours_are_spent(tmp_path: Path, engine: Engine) -> None:
    trials = run(tmp_path, lambda candidate: time.sleep(0.05) or 1.0, Limits(10_000, hours=0.3 / 3600), engine)
    assert 0 < len(trials) < 10_000
    assert all(trial.done for trial in trials)


def test_inline_refuses_limits_that_it_cannot_keep(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="'inline' runs one trial at a time"):
        run(tmp_path, lambda candidate: 1.0, Limits(1, parallel=2), Inline())


def test_a_trial_beyond_its_time_is_killed_and_the_search_goes_on(tmp_path: Path) -> None:
    def function(candidate):
        while candidate["kind"] == "b":
            pass
        return candidate["x"]

    trials = run(tmp_path, function, Limits(4, parallel=2, seconds=0.5))
    assert {trial.reason for trial in trials if trial.candidate["kind"] == "b"} == {"time-out: more than 0.5 s"}
    assert {trial.state for trial in trials if trial.candidate["kind"] == "a"} == {State.FINISHED}


def test_a_trial_beyond_its_memory_is_killed_and_the_search_goes_on(tmp_path: Path) -> None:
    def function(candidate):
        hoard = []
        while candidate["kind"] == "b":
            hoard.append(bytearray(b"x" * 2**23))
            time.sleep(0.01)
        return candidate["x"]

    trials = run(tmp_path, function, Limits(4, memory=400 * 2**20))
    assert all(
        "out of memory" in trial.reason and "400 MiB allowed" in trial.reason
        for trial in trials
        if trial.candidate["kind"] == "b"
    )
    assert {trial.state for trial in trials if trial.candidate["kind"] == "a"} == {State.FINISHED}


def test_memory_error_is_a_failed_trial(tmp_path: Path) -> None:
    trials = run(tmp_path, lambda candidate: bytearray(2**60) if candidate["kind"] == "b" else 1.0, Limits(5))
    assert all(trial.reason.startswith("out of memory") for trial in trials if trial.candidate["kind"] == "b")


def test_a_worker_killed_from_outside_has_its_trial_run_again(tmp_path: Path) -> None:
    def function(candidate, context):
        marker = context.folder / "was here"
        if context.number == 1 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return candidate["x"]

    trials = run(tmp_path, function, Limits(3))
    assert [trial.state for trial in trials] == [State.FINISHED] * 3
    assert [trial.attempts for trial in trials] == [1, 2, 1]


def test_a_trial_that_kills_every_worker_fails_in_the_end(tmp_path: Path) -> None:
    def function(candidate, context):
        if context.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return candidate["x"]

    trials = run(tmp_path, function, Limits(3))
    assert trials[1].state is State.FAILED
    assert "SIGKILL" in trials[1].reason
    assert trials[1].attempts == 3


def test_a_trial_that_ends_its_process_fails(tmp_path: Path) -> None:
    def function(candidate, context):
        if context.number == 0:
            os._exit(7)
        return candidate["x"]

    trials = run(tmp_path, function, Limits(2))
    assert trials[0].reason == "the worker ended itself with 7"
    assert trials[1].state is State.FINISHED


def test_what_a_trial_prints_is_in_its_log(tmp_path: Path) -> None:
    def function(candidate, context):
        print(f"hello from {context.number}")
        os.system("echo and from a subprocess")
        return 1.0

    run(tmp_path, function, Limits(2))
    assert "hello from 1" in (tmp_path / "trials/1/log").read_text()
    assert "and from a subprocess" in (tmp_path / "trials/1/log").read_text()


def test_trials_run_at_the_same_time(tmp_path: Path) -> None:
    def function(candidate, context):
        (context.folder / "began").touch()
        other = context.folder.parent / str(1 - context.number) / "began"
        deadline = time.monotonic() + 60
        while not other.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return float(not other.exists())

    trials = run(tmp_path, function, Limits(2, parallel=2))
    assert [trial.metrics["loss"] for trial in trials] == [0.0, 0.0]


def test_a_script_without_a_main_guard_works_with_workers(tmp_path: Path) -> None:
    import subprocess
    import sys

    script = tmp_path / "script.py"
    script.write_text(
        "import tunesmith\n"
        "print('the script begins')\n"
        "result = tunesmith.minimize(lambda c: c['x'], {'x': tunesmith.uniform(0, 1)}, trials=4, parallel=2)\n"
        "print(len(result.study.trials()))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["the script begins", "4"]


def test_the_space_of_the_engine_tests_has_both_kinds(tmp_path: Path) -> None:
    kinds = {trial.candidate["kind"] for trial in run(tmp_path, lambda candidate: 0.0, Limits(4), Inline(), space=SPACE)}
    assert kinds == {"a", "b"}
