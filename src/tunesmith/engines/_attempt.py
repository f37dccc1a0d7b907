"""One attempt at a trial: calls the evaluator and turns whatever happens into a state with a reason."""

import errno
import math
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tunesmith.errors import TrialFailed, TrialStopped
from tunesmith.evaluation._context import Context, Evaluator
from tunesmith.study import State, Trial

# What the machine's storage refuses is no fault of the candidate.
STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
REASON_LENGTH = 2000

ReportStep = Callable[[int, dict[str, float]], str]


def attempt(evaluator: Evaluator, trial: Trial, context: Context, log: Callable[[str], object]) -> Trial:
    """Return the trial as it ended; never raises for what the evaluation does, an interruption by the user apart.

    A trial for which the storage had no room has not ended: its state is RUNNING, with the reason.
    """
    started = time.monotonic()
    state, metrics, reason = State.FINISHED, {}, ""
    try:
        metrics = evaluator.evaluate(trial.candidate, context)
    except TrialStopped as stopped:
        state, reason, metrics = State.STOPPED, _message(stopped), stopped.metrics
    except TrialFailed as failed:
        state, reason = State.FAILED, _message(failed)
    except (Exception, SystemExit) as error:
        state, reason = _judge(error)
        # The log lies on the same storage.
        with suppress(OSError):
            log(_encodable(traceback.format_exc()))
    seconds = round(time.monotonic() - started, 6)
    return replace(trial, state=state, metrics=metrics, reason=reason, seconds=seconds, facts=_numbers(context.facts))


def storage_failure(error: BaseException) -> str:
    """Return why the storage could not be written, with the file; '' for every other error."""
    if not isinstance(error, OSError) or error.errno not in STORAGE:
        return ""
    return _encodable(f"{error.strerror} ({error.filename})" if error.filename else f"{error.strerror}")[:REASON_LENGTH]


def describe_error(error: BaseException) -> str:
    """Return an exception's type and message, and the innermost line of code that is not a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename and "/tunesmith/" not in frame.filename]
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    message = _message(error).strip().splitlines()
    return f"{type(error).__name__}: {message[0] if message else 'no message'}{_encodable(place)}"


def _judge(error: BaseException) -> tuple[State, str]:
    if reason := storage_failure(error):
        return State.RUNNING, reason
    if isinstance(error, MemoryError):
        return State.FAILED, f"out of memory: {_message(error) or 'an allocation was refused'}"
    return State.FAILED, describe_error(error)


def _message(error: BaseException) -> str:
    """Return what an exception says, fit for a record: encodable, and no longer than REASON_LENGTH."""
    try:
        return _encodable(str(error))[:REASON_LENGTH]
    except Exception:
        return "its message cannot be read"


def _encodable(text: str) -> str:
    """Return the text with what UTF-8 has no place for, such as parts of odd file names, written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _numbers(facts: dict[str, float]) -> dict[str, float]:
    """Return the facts that are finite numbers."""
    numbers = {}
    for name, value in facts.items():
        # An evaluator may have put anything there.
        with suppress(Exception):
            if math.isfinite(value):
                numbers[str(name)] = float(value)
    return numbers


def make_context(trial: Trial, seed: int, folder: Path, memory: int | None, report: ReportStep) -> Context:
    """Return the context whose `report` hands finite metrics on and raises TrialStopped where told to."""
    last: dict[str, float] = {}

    def report_step(step: int, metrics: dict[str, float]) -> None:
        finite = {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
        last.update(finite)
        reason = report(int(step), finite)
        if reason:
            raise TrialStopped(reason, dict(last))

    parent = None if trial.parent is None else folder.parent / str(trial.parent)
    return Context(trial.number, seed, folder, report_step, memory, parent=parent)
