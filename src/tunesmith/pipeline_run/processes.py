"""The processes of a run's steps: what they find in their environment, and their end when the run is interrupted."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil

from tunesmith.pipeline_run.local_step import PACE, RUNNER, STUDIES

TERMINAL_PACE = 0.5
END_SECONDS = 10


@contextlib.contextmanager
def environment(folder: Path, terminal: bool) -> Iterator[None]:
    """Set what the steps should find in their environment."""
    wanted = {RUNNER: str(os.getpid()), STUDIES: str(folder / "studies"), "PYTHONUNBUFFERED": "1"}
    if terminal:
        wanted[PACE] = str(TERMINAL_PACE)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({name: value} if value is not None else {})


@contextlib.contextmanager
def steps_ended() -> Iterator[None]:
    """End the running step where this process is interrupted."""
    try:
        yield
    except BaseException:
        _end_steps()
        raise


def _end_steps() -> None:
    """Interrupt the running step, so that it records what it has, and kill what is left of it later."""
    processes = [process for process in psutil.process_iter() if _is_ours(process)]
    # A step that can be interrupted leads a group of its own; before that it has nothing to record.
    leaders = [process for process in processes if _group(process) == process.pid]
    for process in leaders:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    _, left = psutil.wait_procs(processes, timeout=END_SECONDS if leaders else 0)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _is_ours(process: psutil.Process) -> bool:
    """Tell whether a process belongs to a step; not by its parents, since the shell between dies of the same Ctrl-C."""
    try:
        return process.pid != os.getpid() and process.environ().get(RUNNER) == str(os.getpid())
    except psutil.Error:
        return False


def _group(process: psutil.Process) -> int:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return -1
