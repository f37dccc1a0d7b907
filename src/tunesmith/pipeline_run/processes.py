"""The processes of a run's steps: what they find in their environment, and their end when the run is interrupted."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

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
        with _interrupts_reach_steps():
            yield
    except BaseException:
        _end_steps()
        raise


@contextlib.contextmanager
def _interrupts_reach_steps() -> Iterator[None]:
    """Hand an interruption to the running step at once.

    The exception alone may be lost: Python ignores one that is raised while it cleans up an object.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        _interrupt(_leaders(_steps()))
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGINT, interrupt if callable(before) else before)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_steps() -> None:
    """Interrupt the running step, so that it records what it has, and kill what is left of it later."""
    processes = _steps()
    leaders = _leaders(processes)
    _interrupt(leaders)
    _, left = psutil.wait_procs(processes, timeout=END_SECONDS if leaders else 0)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _steps() -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _is_ours(process)]


def _leaders(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that can be interrupted: they lead a group of their own; before that a step has nothing to record."""
    return [process for process in processes if _group(process) == process.pid]


def _interrupt(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)


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
