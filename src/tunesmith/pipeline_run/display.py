"""Shows a running pipeline: one moving line for the running step on a terminal, plain lines elsewhere."""

import re
import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

COUNTED = re.compile(r"^(search) (\d+)/(\d+)\s*(.*)$")
NAME_WIDTH = 16


class PipelineDisplay:
    """Listens to the steps and shows them on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self.began = 0.0
        self.task: TaskID | None = None
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
        said = TextColumn("{task.fields[text]}", markup=False)
        # Standard output is being read by PipelineOutput: rich must not take its place.
        self.live = Progress(*columns, said, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)

    def started(self, step: str) -> None:
        """Show that a step runs."""
        self.began = time.monotonic()
        if self.console.is_terminal:
            self.live.start()
            self.task = self.live.add_task(step.ljust(NAME_WIDTH), total=None, text="")
        else:
            self._print(f"{step} starts")

    def said(self, text: str) -> None:
        """Show what the step says; of a search, how far it is."""
        if self.task is None:
            self._print(f"  {escape(text)}")
        elif match := COUNTED.match(text):
            self.live.update(self.task, completed=int(match[2]), total=int(match[3]), text=f"{match[2]}/{match[3]}  {match[4]}")
        else:
            self.live.update(self.task, text=text)

    def ended(self, step: str, succeeded: bool) -> None:
        """Show that the step has ended, and how long it took."""
        self.seconds[step] = round(time.monotonic() - self.began, 3)
        self.close()
        how = "done in" if succeeded else "[red]FAILED[/] after"
        self._print(f"{step.ljust(NAME_WIDTH)} {how} {self.seconds[step]:.1f} s")

    def close(self) -> None:
        """Take the moving line away."""
        if self.task is not None:
            self.live.remove_task(self.task)
            self.live.stop()
            self.task = None

    def _print(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True, markup=True)
