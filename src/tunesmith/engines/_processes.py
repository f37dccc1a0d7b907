"""Worker processes that evaluate trials under limits, forked from one process that has the heavy libraries imported.

A worker serves many trials. One that outlives its time or memory limit is killed and replaced.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import cloudpickle

from tunesmith.engines._engine import Limits
from tunesmith.engines._forks import Forks, cores, kill, resident_bytes
from tunesmith.engines._loop import Ended, OnReport, Workers
from tunesmith.engines._worker import Broken, Ready, Step, Task, serve
from tunesmith.errors import SpecError
from tunesmith.evaluation._context import Evaluator
from tunesmith.study import State, Trial, trial_seed

TICK_SECONDS = 0.2
# What a worker that ends itself may take for it; then it is killed.
END_SECONDS = 5.0


@dataclass
class _Worker:
    """A process, its trial, if any, and the bytes it held before its first one, once it has told."""

    process: BaseProcess
    connection: Connection
    held: int | None = None
    trial: Trial | None = None
    started: float = field(default_factory=time.monotonic)


class Processes(Workers):
    """Worker processes of this machine.

    `seed`: the study's. `folder_of`: returns the folder of a trial by its number. `log`: takes what imports print.
    """

    def __init__(self, evaluator: Evaluator, limits: Limits, seed: int, folder_of: Callable[[int], Path], log: Path) -> None:
        self.limits, self.seed, self.folder_of = limits, seed, folder_of
        evaluator.check_installed()
        self.payload = _pickled(evaluator)
        self.threads = max(1, cores() // limits.parallel)
        self.forks = Forks(["tunesmith.engines._worker", *evaluator.preload()], self.threads, log)
        # One that the user's own code started has other modules.
        self.forks.stop()
        self.workers: list[_Worker] = []

    def warm_up(self) -> None:
        """Begin to import what workers need, while the caller does something else."""
        self.forks.warm_up()

    def free(self) -> int:
        return self.limits.parallel - sum(worker.trial is not None for worker in self.workers)

    def start(self, trial: Trial) -> None:
        worker = next((worker for worker in self.workers if worker.trial is None), None) or self._fork()
        worker.trial, worker.started = trial, time.monotonic()
        folder = self.folder_of(trial.number).absolute()
        task = Task(trial, trial_seed(self.seed, trial.number), folder, self.limits.memory)
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
            kill(worker.process)
        for worker in self.workers:
            worker.process.join()
            worker.connection.close()
        self.workers.clear()
        self.forks.stop()

    def _fork(self) -> _Worker:
        ours, theirs = Pipe()
        process = self.forks.start(serve, theirs, self.payload, self.threads)
        theirs.close()
        worker = _Worker(process, ours)
        self.workers.append(worker)
        return worker

    def _ready(self) -> list[_Worker]:
        """Return the workers that have said something or ended; one's children may hold its connection open beyond its end."""
        ready = wait([end for worker in self.workers for end in (worker.connection, worker.process.sentinel)], TICK_SECONDS)
        return [worker for worker in self.workers if worker.connection in ready or worker.process.sentinel in ready]

    def _hear(self, worker: _Worker, on_report: OnReport) -> Ended | None:
        """Take one message of a worker; returns the end of its trial, if that is what it was."""
        try:
            if not worker.connection.poll():
                return self._bury(worker)
            message = worker.connection.recv()
            if isinstance(message, Step):
                worker.connection.send(on_report(message.number, message.step, message.metrics))
                return None
        except (EOFError, OSError):
            return self._bury(worker)
        if isinstance(message, Broken):
            raise SpecError(f"a worker could not load what it should evaluate: {message.reason}")
        if isinstance(message, Ready):
            worker.held = message.held
            return None
        worker.trial = None
        return Ended(message)

    def _bury(self, worker: _Worker) -> Ended | None:
        """Take a dead worker away; its trial, if any, is lost, not failed, where it was killed from outside."""
        worker.process.join(END_SECONDS)
        kill(worker.process)
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
        kill(worker.process)
        worker.trial = None
        self._bury(worker)
        return Ended(trial)

    def _excess(self, worker: _Worker) -> str:
        limits = self.limits
        if limits.seconds is not None and time.monotonic() - worker.started > limits.seconds:
            return f"time-out: more than {limits.seconds:g} s"
        if limits.memory is None or worker.held is None or worker.process.pid is None:
            return ""
        used = resident_bytes(worker.process.pid) - worker.held
        if used <= limits.memory:
            return ""
        return f"out of memory: {used / 2**20:.0f} MiB used, {limits.memory / 2**20:.0f} MiB allowed"


def _pickled(evaluator: object) -> bytes:
    try:
        return cloudpickle.dumps(evaluator)
    except Exception as error:
        raise SpecError(f"the function or space cannot be sent to a worker process: {error}") from None
