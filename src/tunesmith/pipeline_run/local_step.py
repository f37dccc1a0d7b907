"""What a pipeline's step does for the process that runs the pipeline on this machine; in a cluster, nothing.

The two find each other through environment variables, since a pipeline's parameters mean the same everywhere.
"""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import psutil
from rich.console import Console

from tunesmith.progress import LINE_SECONDS

# The running pipeline's process id; the folder for studies that outlive their step; seconds between two lines of progress.
RUNNER = "TUNESMITH_RUNNER"
STUDIES = "TUNESMITH_STUDIES"
PACE = "TUNESMITH_PACE"
MARK = "tunesmith: "
WATCH_SECONDS = 0.5

P = ParamSpec("P")
R = TypeVar("R")


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function a pipeline's step: quiet, and ended with the process that runs the pipeline."""

    @wraps(function)
    def attached(*args: P.args, **kwargs: P.kwargs) -> R:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        if runner := os.environ.get(RUNNER):
            _attach(int(runner))
        return function(*args, **kwargs)

    return attached


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _watch(runner: int) -> None:
    while runner in [process.pid for process in psutil.Process().parents()]:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)
