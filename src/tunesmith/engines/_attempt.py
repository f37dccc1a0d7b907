"""One attempt at a trial: calls the evaluator and turns whatever happens into a state with a reason."""

import math
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tunesmith.errors import TrialFailed, TrialStopped
from tunesmith.evaluation._context import Context, Evaluator
from tunesmith.study import State, Trial

ReportStep = Callable[[int, dict[str, float]], str]


def attempt(evaluator: Evaluator, trial: Trial, context: Context, log: Callable[[str], object]) -> Trial:
    """Return the trial as it ended; never raises for what the evaluation does, an interruption by the user apart."""
    started = time.monotonic()
    state, metrics, reason = State.FINISHED, {}, ""
    try:
        metrics = evaluator.evaluate(trial.candidate, context)
    except TrialStopped as stopped:
        state, reason, metrics = State.STOPPED, str(stopped), stopped.metrics
    except TrialFailed as failed:
        state, reason = State.FAILED, str(failed)
    except MemoryError as error:
        state, reason = State.FAILED, f"out of memory: {error or 'an allocation was refused'}"
        log(traceback.format_exc())
    except (Exception, SystemExit) as error:
        state, reason = State.FAILED, describe_error(error)
        log(traceback.format_exc())
    seconds = round(time.monotonic() - started, 6)
    facts = {name: float(value) for name, value in context.facts.items() if math.isfinite(value)}
    return replace(trial, state=state, metrics=metrics, reason=reason, seconds=seconds, facts=facts)


def describe_error(error: BaseException) -> str:
    """Return an exception's type and message, and the innermost line of code that is not a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename and "/tunesmith/" not in frame.filename]
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    message = str(error).strip().splitlines()
    return f"{type(error).__name__}: {message[0] if message else 'no message'}{place}"


def make_context(trial: Trial, seed: int, folder: Path, memory: int | None, report: ReportStep) -> Context:
    """Return the context whose `report` hands finite metrics on and raises TrialStopped where told to."""
    last: dict[str, float] = {}

    def report_step(step: int, metrics: dict[str, float]) -> None:
        finite = {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
        last.update(finite)
        reason = report(int(step), finite)
        if reason:
            raise TrialStopped(reason, dict(last))

    return Context(trial.number, seed, folder, report_step, memory)
