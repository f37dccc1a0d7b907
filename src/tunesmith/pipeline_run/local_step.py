"""What a pipeline's step does for those who watch it: it says how far it is, and ends in order when it is told to.

A step on this machine and the process that runs the pipeline find each other through environment variables, since a pipeline's
parameters mean the same everywhere.
"""

import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psutil
from rich.console import Console

from tunesmith.progress import LINE_SECONDS

# The running pipeline's process id; the folder for studies that outlive their step; seconds between two lines of progress.
RUNNER = "TUNESMITH_RUNNER"
STUDIES = "TUNESMITH_STUDIES"
PACE = "TUNESMITH_PACE"
MARK = "tunesmith: "
FIGURES = "tunesmith-figures: "
WATCH_SECONDS = 0.5
INTERRUPTING = (signal.SIGINT, signal.SIGTERM)

P = ParamSpec("P")
R = TypeVar("R")


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function a pipeline's step: quiet, and interrupted when its run is, here or on a cluster."""

    @wraps(function)
    def attached(*args: P.args, **kwargs: P.kwargs) -> R:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        if runner := os.environ.get(RUNNER):
            _attach(int(runner))
        before = {number: signal.getsignal(number) for number in INTERRUPTING}
        # A pod that is to end gets SIGTERM, by whose default nothing is recorded and an experiment would go on.
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            return function(*args, **kwargs)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    return attached


def tell_figures(step: str, figures: Mapping[str, Any]) -> None:
    """Print figures for `tunesmith ci`, which sees of a run on a cluster only what its steps print."""
    print(FIGURES + json.dumps({"step": step, "figures": dict(figures)}, allow_nan=False), flush=True)  # noqa: T201


def step_console() -> Console:
    """Return a console whose lines begin with MARK, so that they are found among those of other libraries."""
    return Console(file=_Marked(), force_terminal=False, width=160, markup=False)


def pace() -> float:
    """Return the seconds between two lines of progress."""
    return float(os.environ.get(PACE, LINE_SECONDS))


def place_of_study(study: Path, key: str) -> Path:
    """Return where the study named `key` is kept: where a second attempt will find it, else `study` itself."""
    studies = os.environ.get(STUDIES)
    if not studies:
        return study
    kept = Path(studies) / key
    kept.mkdir(parents=True, exist_ok=True)
    # The second link is for people who look into the run's folder while the search is under way.
    for link in (study, kept.parent.parent / "study"):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(kept, target_is_directory=True)
    return kept


class _Marked(io.StringIO):
    def write(self, text: str, /) -> int:
        sys.stdout.write("".join(MARK + line for line in text.splitlines(keepends=True)))
        sys.stdout.flush()
        return len(text)


def _attach(runner: int) -> None:
    """Leave the terminal's process group, so that Ctrl-C comes from the runner alone; end when the runner is gone."""
    os.setpgrp()
    signal.signal(signal.SIGINT, _interrupt)
    threading.Thread(target=_watch, args=(runner,), daemon=True).start()


def _interrupt(*_: object) -> None:
    """Interrupt once: a second signal must not disturb the search while it records where it stands."""
    for number in INTERRUPTING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _watch(runner: int) -> None:
    while runner in [process.pid for process in psutil.Process().parents()]:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)
