"""The worker's side of the local engine: a forked process that evaluates trials one after the other."""

import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import current_process, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

import cloudpickle

from tunesmith.engines._attempt import attempt, describe_error, make_context, storage_failure
from tunesmith.engines._forks import resident_bytes
from tunesmith.evaluation._context import Evaluator
from tunesmith.quiet import STANDARD_ERROR, STANDARD_OUTPUT, output_to
from tunesmith.study import Trial


@dataclass(frozen=True)
class Task:
    """A trial as it is sent to a worker."""

    trial: Trial
    seed: int
    folder: Path
    memory: int | None


@dataclass(frozen=True)
class Step:
    """Metrics reported by the running trial; the worker waits for the answer: why to stop, or ''."""

    number: int
    step: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Broken:
    """The evaluator could not be made in the worker."""

    reason: str


@dataclass(frozen=True)
class Ready:
    """The evaluator is loaded; `held` is the resident memory in bytes that no trial is to be blamed for."""

    held: int


def serve(connection: Connection, evaluator: bytes, threads: int) -> None:
    """Evaluate the tasks that arrive until the parent's end; then nothing that a trial started is left either."""
    # A group of its own: what a trial starts can be killed with the worker, and Ctrl-C is the parent's to handle.
    os.setsid()
    # The mark was the parent's safeguard; a trial may start processes.
    current_process().daemon = False
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # TensorFlow reads these when it first computes, which is after the fork; workers must not fight for cores.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)
    try:
        judge: Evaluator = cloudpickle.loads(evaluator)
    except BaseException as error:
        connection.send(Broken(describe_error(error)))
        return
    with suppress(EOFError, ConnectionError):
        connection.send(Ready(resident_bytes(os.getpid())))
        while True:
            connection.send(_evaluate(judge, connection.recv(), connection))
    _end()


def _evaluate(evaluator: Evaluator, task: Task, connection: Connection) -> Trial:
    def report(step: int, metrics: dict[str, float]) -> str:
        connection.send(Step(task.trial.number, step, metrics))
        return connection.recv()

    try:
        with output_to(task.folder / "log", STANDARD_OUTPUT, STANDARD_ERROR):
            context = make_context(task.trial, task.seed, task.folder, task.memory, report)
            return attempt(evaluator, task.trial, context, sys.stderr.write)
    except OSError as error:
        if reason := storage_failure(error):
            return replace(task.trial, reason=reason)
        raise


def _die_with_parent() -> None:
    """A killed parent cannot say good-bye; its end is seen by its sentinel."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _end()


def _end() -> None:
    os.killpg(os.getpid(), signal.SIGKILL)
