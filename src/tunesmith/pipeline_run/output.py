"""Reads what kfp.local and the steps print: everything goes to a log, what matters to the listener."""

import io
import re
from collections import deque
from typing import IO, Protocol

from tunesmith import errors
from tunesmith.errors import StepFailed, TunesmithError
from tunesmith.pipeline_run.local_step import MARK

COLOUR = re.compile(r"\033\[\d+m")
STAMP = r"^\d\d:\d\d:\d\d\.\d{3} - \w+ - "
STARTED = re.compile(STAMP + r"Executing task '(.+)'$")
ENDED = re.compile(STAMP + r"Task '(.+)' finished with status (\w+)$")
TRACEBACK = "Traceback (most recent call last):"
KEPT_LINES = 1000
SHOWN_LINES = 15


class Listener(Protocol):
    """Is told of the steps as they run."""

    def started(self, step: str) -> None:
        """A step has started."""

    def said(self, text: str) -> None:
        """The running step has said something meant for the user."""

    def ended(self, step: str, succeeded: bool) -> None:
        """The step has ended."""


class PipelineOutput(io.TextIOBase):
    """Takes the place of standard output while a pipeline runs."""

    def __init__(self, log: IO[str], listener: Listener) -> None:
        self.log, self.listener = log, listener
        self.partial, self.failed = "", ""
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)

    def write(self, text: str, /) -> int:
        """Log the text, tell the listener of its lines."""
        self.log.write(COLOUR.sub("", text))
        self.log.flush()
        *lines, self.partial = (self.partial + text).split("\n")
        for line in lines:
            self._hear(COLOUR.sub("", line))
        return len(text)

    def error(self) -> TunesmithError:
        """Return why the step named `failed` has failed: its own words where it had some, else its last lines."""
        raised = last_raised(list(self.lines))
        last = [line.strip() for line in self.lines if line.strip() and "[KFP Executor" not in line]
        told = "\n".join((raised.splitlines() if raised else last)[-SHOWN_LINES:])
        return _own_error(raised) or StepFailed(f"the step {self.failed} failed: {told}\nIts log: {self.log.name}")

    def _hear(self, line: str) -> None:
        if match := STARTED.match(line):
            self.lines.clear()
            self.listener.started(match[1])
        elif match := ENDED.match(line):
            if match[2] != "SUCCESS":
                self.failed = match[1]
            self.listener.ended(match[1], match[2] == "SUCCESS")
        elif line.strip().startswith(MARK.strip()):
            self.listener.said(line.strip().removeprefix(MARK.strip()).strip())
        elif not self.failed:
            self.lines.append(line)


def last_raised(lines: list[str]) -> str:
    """Return the exception that the last traceback among the lines ends with, its name and its words; else ''."""
    starts = [i for i, line in enumerate(lines) if line.strip() == TRACEBACK]
    if not starts:
        return ""
    first = lines[starts[-1]]
    after = [line[len(first) - len(first.lstrip()) :] for line in lines[starts[-1] + 1 :]]
    raised = [i for i, line in enumerate(after) if line and not line.startswith(" ")]
    return "\n".join(after[raised[0] :]).strip() if raised else ""


def _own_error(text: str) -> TunesmithError | None:
    """Return the error that a traceback ends with, if it is one of Tunesmith's."""
    name, colon, words = text.partition(": ")
    kind = getattr(errors, name.removeprefix(f"{errors.__name__}."), None) if name.startswith(f"{errors.__name__}.") else None
    if not (colon and isinstance(kind, type) and issubclass(kind, TunesmithError)):
        return None
    return kind(words)
