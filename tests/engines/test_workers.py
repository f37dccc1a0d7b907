"""What a trial starts ends with it, each search has workers of its own, and whatever a trial does has a reason."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engines.searches import SPACE, run
from tunesmith.engines import _forks
from tunesmith.engines._attempt import REASON_LENGTH, attempt
from tunesmith.engines._engine import Limits, Progress, Search
from tunesmith.engines.local import Local
from tunesmith.errors import TrialFailed
from tunesmith.evaluation._context import Context, Evaluator
from tunesmith.record import Record
from tunesmith.strategies.random import Random
from tunesmith.study import Objective, State, Trial

MEBIBYTE = 2**20


class Stub(Evaluator):
    """Does in `evaluate` what a function does with the context; has modules to preload."""

    def __init__(self, function: Callable[[Context], Any], *modules: str) -> None:
        self.function, self.modules = function, list(modules)

    def evaluate(self, candidate: dict[str, Any], context: Context) -> dict[str, float]:
        return {"loss": self.function(context)}

    def preload(self) -> list[str]:
        return self.modules


def search(folder: Path, evaluator: Evaluator, limits: Limits) -> list[Trial]:
    with Record.start(folder, {"space": SPACE.to_json()}) as record:
        Local().run(Search(SPACE, Random(), Objective("loss"), evaluator, limits, record), Progress())
        return record.trials()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def pids(folder: Path) -> list[int]:
    return [int(pid) for path in folder.rglob("pid") for pid in path.read_text().split()]


@pytest.mark.parametrize("own_session", [False, True])
def test_what_a_trial_started_ends_with_its_time(tmp_path: Path, own_session: bool) -> None:
    def function(candidate, context):
        child = subprocess.Popen(["sleep", "777"], start_new_session=own_session)
        (context.folder / "pid").write_text(str(child.pid))
        child.wait()

    (trial,) = run(tmp_path, function, Limits(1, seconds=0.5))
    assert "time-out" in trial.reason
    (child,) = pids(tmp_path)
    wait_for(lambda: not alive(child))


def test_what_a_trial_left_behind_ends_with_the_search(tmp_path: Path) -> None:
    def function(candidate, context):
        (context.folder / "pid").write_text(str(subprocess.Popen(["sleep", "777"]).pid))
        return 1.0

    run(tmp_path, function, Limits(2))
    assert len(pids(tmp_path)) == 2
    wait_for(lambda: not any(map(alive, pids(tmp_path))))


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_what_a_trial_started_ends_with_the_program(tmp_path: Path, sign: signal.Signals) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, subprocess, tunesmith\n"
        "def function(candidate, context):\n"
        "    child = subprocess.Popen(['sleep', '777'])\n"
        "    (context.folder / 'part').write_text(f'{child.pid} {os.getpid()}')\n"
        "    (context.folder / 'part').rename(context.folder / 'pid')\n"
        "    child.wait()\n"
        "tunesmith.minimize(function, {'x': tunesmith.uniform(0, 1)}, trials=2, parallel=2, study='study')\n"
    )
    program = subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: len(pids(tmp_path)) == 4)
    os.killpg(program.pid, sign)
    program.wait(60)
    wait_for(lambda: not any(map(alive, pids(tmp_path))))


def test_a_program_ends_though_a_search_goes_on_in_its_background(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import glob, threading, time, tunesmith\n"
        "def function(candidate, context):\n"
        "    (context.folder / 'pid').touch()\n"
        "    time.sleep(777)\n"
        "arguments = {'trials': 1, 'study': 'study', 'parallel': 2}\n"
        "search = lambda: tunesmith.minimize(function, {'x': tunesmith.uniform(0, 1)}, **arguments)\n"
        "threading.Thread(target=search, daemon=True).start()\n"
        "while not glob.glob('study/trials/*/pid'):\n"
        "    time.sleep(0.01)\n"
    )
    subprocess.run([sys.executable, str(script)], cwd=tmp_path, check=True, timeout=60)


def test_a_trial_may_use_multiprocessing(tmp_path: Path) -> None:
    def function(candidate):
        from multiprocessing import Pool

        with Pool(2) as pool:
            return sum(pool.map(abs, [-1, -2]))

    (trial,) = run(tmp_path, function, Limits(1))
    assert trial.metrics == {"loss": 3.0}, trial.reason


def test_a_killed_worker_is_noticed_though_its_children_hold_its_connection(tmp_path: Path) -> None:
    def function(candidate, context):
        if not (context.folder / "pid").exists():
            child = os.fork()
            if child == 0:
                time.sleep(777)
            (context.folder / "pid").write_text(str(child))
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0

    (trial,) = run(tmp_path, function, Limits(1))
    assert (trial.state, trial.attempts) == (State.FINISHED, 2)
    wait_for(lambda: not any(map(alive, pids(tmp_path))))


def test_the_memory_of_what_a_trial_started_counts(tmp_path: Path) -> None:
    def function(candidate):
        subprocess.run([sys.executable, "-c", f"hoard = b'x' * {300 * MEBIBYTE}; import time; time.sleep(777)"], check=True)

    (trial,) = run(tmp_path, function, Limits(1, memory=200 * MEBIBYTE))
    assert "out of memory" in trial.reason
    assert "200 MiB allowed" in trial.reason


def test_what_a_worker_held_before_its_first_trial_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heavy_library.py").write_text(f"hoard = b'x' * {300 * MEBIBYTE}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def function(context):
        added = b"x" * 20 * MEBIBYTE
        # Long enough for the limit to be looked at.
        time.sleep(1)
        return float(len(added) > 0 and "heavy_library" in sys.modules)

    (trial,) = search(tmp_path / "study", Stub(function, "heavy_library"), Limits(1, memory=200 * MEBIBYTE))
    assert trial.metrics == {"loss": 1.0}, trial.reason


def test_every_search_of_a_program_has_workers_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("early_library", "late_library"):
        code = f"import os, sys\nthreads = os.environ['OMP_NUM_THREADS']\nsys.stderr.write('{name} says hello')\n"
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("tunesmith.engines._processes.cores", lambda: 6)

    def threads(name: str) -> Callable[[Context], float]:
        return lambda context: float(sys.modules[name].threads)

    for name, parallel in (("early_library", 2), ("late_library", 1)):
        folder = tmp_path / name
        (trial,) = search(folder, Stub(threads(name), name), Limits(1, parallel=parallel))
        assert trial.metrics == {"loss": 6 / parallel}, trial.reason
        assert f"{name} says hello" in (folder / "workers.log").read_text()


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", 8), ("200000 100000", 2), ("50000 100000", 1), ("1600000 100000", 8), ("nonsense", 8), (None, 8)],
)
def test_a_containers_quota_bounds_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str | None, expected: int
) -> None:
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(_forks, "CPU_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    assert _forks.cores() == expected


def attempted(function: Callable[[Context], Any], tmp_path: Path) -> tuple[Trial, str]:
    """Return the ended trial and its log."""
    log: list[str] = []
    context = Context(0, 0, tmp_path, lambda step, metrics: None)
    return attempt(Stub(function), Trial(0, {}), context, log.append), "".join(log)


def raising(error: BaseException) -> Callable[[Context], Any]:
    def function(context: Context) -> None:
        raise error

    return function


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class UnspeakableFailure(TrialFailed):
    __str__ = Unspeakable.__str__


def test_facts_that_are_no_numbers_are_dropped(tmp_path: Path) -> None:
    def function(context: Context) -> float:
        facts: dict[str, Any] = {"epochs": 3, "host": "gpu-7", "nothing": None, "odd": float("inf"), "big": 10**400}
        context.facts.update(facts)
        return 1.0

    trial, _ = attempted(function, tmp_path)
    assert (trial.state, trial.facts) == (State.FINISHED, {"epochs": 3.0})


@pytest.mark.parametrize("error", [Unspeakable(), UnspeakableFailure("")])
def test_an_exception_that_cannot_be_read_is_a_failed_trial(tmp_path: Path, error: Exception) -> None:
    trial, _ = attempted(raising(error), tmp_path)
    assert trial.state is State.FAILED
    assert "cannot be read" in trial.reason


@pytest.mark.parametrize("kind", [FileNotFoundError, TrialFailed, MemoryError])
def test_a_reason_can_be_written_whatever_it_names(tmp_path: Path, kind: type[Exception]) -> None:
    trial, log = attempted(raising(kind("caf\udce9.csv")), tmp_path)
    assert trial.state is State.FAILED
    assert "caf\\udce9.csv" in trial.reason
    trial.reason.encode()
    log.encode()


@pytest.mark.parametrize("kind", [ValueError, TrialFailed, MemoryError])
def test_a_reason_is_not_a_novel(tmp_path: Path, kind: type[Exception]) -> None:
    trial, _ = attempted(raising(kind("x" * 10**6)), tmp_path)
    assert REASON_LENGTH <= len(trial.reason) < REASON_LENGTH + 200


def test_a_memory_error_without_words_says_what_happened(tmp_path: Path) -> None:
    trial, _ = attempted(raising(MemoryError()), tmp_path)
    assert trial.reason == "out of memory: an allocation was refused"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_storage_does_not_end_the_trial(tmp_path: Path, code: int) -> None:
    trial, _ = attempted(raising(OSError(code, os.strerror(code), "model.keras")), tmp_path)
    assert trial == replace(
        Trial(0, {}), state=State.RUNNING, reason=f"{os.strerror(code)} (model.keras)", seconds=trial.seconds
    )


def test_a_full_storage_refuses_the_log_as_well(tmp_path: Path) -> None:
    def log(text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    context = Context(0, 0, tmp_path, lambda step, metrics: None)
    trial = attempt(Stub(raising(OSError(errno.ENOSPC, "No space left on device"))), Trial(0, {}), context, log)
    assert (trial.state, trial.reason) == (State.RUNNING, "No space left on device")


def test_another_error_of_the_system_fails_the_trial(tmp_path: Path) -> None:
    trial, _ = attempted(raising(PermissionError(errno.EACCES, "Permission denied", "data.csv")), tmp_path)
    assert trial.state is State.FAILED
