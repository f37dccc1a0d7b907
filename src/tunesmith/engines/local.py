"""Runs trials in worker processes on this machine, forked from one process that has the heavy libraries imported.

A worker serves many trials. One that outlives its time or memory limit is killed and replaced; the search goes on.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType

import cloudpickle
import psutil

from tunesmith.engines._engine import Engine, Progress, Search
from tunesmith.engines._loop import Ended, Loop, OnReport, Workers
from tunesmith.engines._worker import Broken, Step, Task, serve
from tunesmith.errors import SpecError
from tunesmith.quiet import STANDARD_ERROR, output_to
from tunesmith.study import State, Trial, trial_seed

TICK_SECONDS = 0.2


@dataclass(frozen=True)
class Local(Engine):
    """Trials in worker processes."""

    def run(self, search: Search, progress: Progress) -> None:
        Loop(search, _Processes(search), progress).run()


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    trial: Trial | None = None
    started: float = field(default_factory=time.monotonic)


class _Processes(Workers):
    def __init__(self, search: Search) -> None:
        self.search = search
        self.payload = _pickled(search.evaluator)
        self.threads = max(1, len(os.sched_getaffinity(0)) // search.limits.parallel)
        self.context = get_context("forkserver")
        self.context.set_forkserver_preload(["tunesmith.engines._worker", *search.evaluator.preload()])
        self.workers: list[_Worker] = []

    def free(self) -> int:
        return self.search.limits.parallel - sum(worker.trial is not None for worker in self.workers)

    def start(self, trial: Trial) -> None:
        worker = next((worker for worker in self.workers if worker.trial is None), None) or self._fork()
        worker.trial, worker.started = trial, time.monotonic()
        folder = self.search.record.trial_folder(trial.number).absolute()
        task = Task(trial, trial_seed(self.search.seed, trial.number), folder, self.search.limits.memory)
        # A worker may have died idle: `wait` sees its end and the trial is run again.
        with suppress(OSError):
            worker.connection.send(task)

    def wait(self, on_report: OnReport, until: float) -> list[Ended]:
        while True:
            ended = [end for worker in self._ready() if (end := self._hear(worker, on_report))]
            ended += [end for worker in list(self.workers) if (end := self._over_limit(worker))]
            if ended or time.monotonic() >= until or not any(worker.trial for worker in self.workers):
                return ended

    def stop(self) -> None:
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()
            worker.connection.close()
        self.workers.clear()

    def _fork(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=serve, args=(theirs, self.payload, self.threads), daemon=True)
        # The fork server starts with the first worker; what its imports print is kept beside the study, not shown.
        log = output_to(self.search.record.folder / "workers.log", STANDARD_ERROR)
        with _no_main_module(), _environment(self.threads), log:
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self.workers.append(worker)
        return worker

    def _ready(self) -> list[_Worker]:
        by_connection = {worker.connection: worker for worker in self.workers}
        return [by_connection[ready] for ready in wait(list(by_connection), TICK_SECONDS) if isinstance(ready, Connection)]

    def _hear(self, worker: _Worker, on_report: OnReport) -> Ended | None:
        """Take one message of a worker; returns the end of its trial, if that is what it was."""
        try:
            message = worker.connection.recv()
            if isinstance(message, Step):
                worker.connection.send(on_report(message.number, message.step, message.metrics))
                return None
        except (EOFError, OSError):
            return self._bury(worker)
        if isinstance(message, Broken):
            raise SpecError(f"a worker could not load what it should evaluate: {message.reason}")
        worker.trial = None
        return Ended(message)

    def _bury(self, worker: _Worker) -> Ended | None:
        """Take a dead worker away; its trial, if any, is lost, not failed, where it was killed from outside."""
        worker.process.join()
        self.workers.remove(worker)
        worker.connection.close()
        if worker.trial is None:
            return None
        code = worker.process.exitcode or 0
        reason = f"the worker was killed ({signal.Signals(-code).name})" if code < 0 else f"the worker ended itself with {code}"
        if code == -signal.SIGKILL:
            reason += ", perhaps by the system for want of memory"
        trial = replace(worker.trial, state=State.FAILED, reason=reason, seconds=time.monotonic() - worker.started)
        return Ended(trial, lost=code in (-signal.SIGKILL, -signal.SIGTERM))

    def _over_limit(self, worker: _Worker) -> Ended | None:
        """Kill a worker that uses more than its trial may."""
        if worker.trial is None:
            return None
        reason = self._excess(worker)
        if not reason:
            return None
        trial = replace(worker.trial, state=State.FAILED, reason=reason, seconds=time.monotonic() - worker.started)
        worker.process.kill()
        worker.trial = None
        self._bury(worker)
        return Ended(trial)

    def _excess(self, worker: _Worker) -> str:
        limits = self.search.limits
        if limits.seconds is not None and time.monotonic() - worker.started > limits.seconds:
            return f"time-out: more than {limits.seconds:g} s"
        if limits.memory is None:
            return ""
        used = _resident_bytes(worker.process.pid)
        if used <= limits.memory:
            return ""
        return f"out of memory: {used / 2**20:.0f} MiB used, {limits.memory / 2**20:.0f} MiB allowed"


def _resident_bytes(pid: int | None) -> int:
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


def _pickled(evaluator: object) -> bytes:
    try:
        return cloudpickle.dumps(evaluator)
    except Exception as error:
        raise SpecError(f"the function or space cannot be sent to a worker process: {error}") from None


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
