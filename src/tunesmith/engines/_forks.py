"""Where workers come from and go to: the process they are forked from, their cores, their memory and their end."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import active_children, forkserver, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from tunesmith.quiet import STANDARD_ERROR, output_to

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class Forks:
    """Forks the workers of one search from a process that has the modules of `preload` imported; one search at a time."""

    preload: list[str]
    threads: int
    log: Path

    def warm_up(self) -> None:
        """Start the process that workers are forked from, which goes on importing; what that prints goes to the log."""
        get_context("forkserver").set_forkserver_preload(self.preload)
        with _no_main_module(), _environment(self.threads), output_to(self.log, STANDARD_ERROR):
            forkserver.ensure_running()

    def start(self, target: Callable[..., None], *arguments: object) -> BaseProcess:
        """Return a started worker, once the imports are done."""
        self.warm_up()
        # The worker itself takes the mark off; here it keeps the interpreter's exit from waiting for a forgotten worker.
        process = get_context("forkserver").Process(target=target, args=arguments, daemon=True)
        with _no_main_module():
            process.start()
        return process

    def stop(self) -> None:
        """End the process that workers are forked from, so that the next search has its own modules, threads and log."""
        # Processes that the user's own code forked from it would be cut off from their exit codes.
        if not active_children():
            with suppress(AttributeError, OSError, psutil.Error):
                _stop_fork_server()


def _stop_fork_server() -> None:
    """Stop it by what multiprocessing keeps for its own tests: there is no public way, and one cannot have a second."""
    server: Any = forkserver._forkserver  # noqa: SLF001
    pid = server._forkserver_pid  # noqa: SLF001
    if pid is None or psutil.Process(pid).ppid() != os.getpid():
        return
    # It ends by itself only after everything that a trial may have left behind.
    os.kill(pid, signal.SIGKILL)
    server._stop()  # noqa: SLF001


def cores() -> int:
    """Return how many cores this process may use, at least 1: its affinity, or a container's quota where that is less."""
    available = len(os.sched_getaffinity(0))
    try:
        quota, period = CPU_QUOTA.read_text().split()
    except (OSError, ValueError):
        return available
    return available if quota == "max" else max(1, min(available, int(quota) // int(period)))


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and its descendants; 0 where it has ended."""
    total = 0
    for process in _family(pid):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def kill(process: BaseProcess) -> None:
    """Kill a worker, dead or alive, with all that its trials started."""
    pid = process.pid
    if pid is None:
        return
    descendants = _family(pid)[1:]
    # A group of this number is the worker's own or, before it has made it, none.
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    process.kill()
    for descendant in descendants:
        with suppress(psutil.Error):
            descendant.kill()


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Keep multiprocessing from running the user's script again in every worker: what it needs is sent by value."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    """Set what libraries read once, at import, for the process from which workers are forked."""
    wanted = {
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        # Otherwise the first worker takes all of a GPU's memory.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update({name: value for name, value in wanted.items() if before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
