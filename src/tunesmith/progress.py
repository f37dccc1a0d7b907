"""Shows a search's progress: a bar on a terminal, plain lines elsewhere (pod logs, CI)."""

import time
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn

from tunesmith.engines._engine import Progress, Search
from tunesmith.ranking import pareto_front
from tunesmith.study import State, Trial

LINE_SECONDS = 5.0


class ConsoleProgress(Progress):
    """Trials done, best so far, failures and time left, on the console's terminal or as lines, `line_seconds` apart."""

    def __init__(self, console: Console, line_seconds: float = LINE_SECONDS) -> None:
        self.console, self.line_seconds = console, line_seconds
        self.bar: Bar | None = None
        self.noted: set[str] = set()

    def begin(self, search: Search, trials: list[Trial]) -> None:
        """Start the display; trials of an earlier session count as done."""
        self.aims, self.total = search.aims, search.limits.trials
        done = [trial for trial in trials if trial.done]
        self.front = pareto_front(done, self.aims)
        self.failed = sum(trial.state is State.FAILED for trial in done)
        self.stopped = sum(trial.state is State.STOPPED for trial in done)
        self.count = self.before = len(done)
        self.started, self.last_line = time.monotonic(), 0.0
        if search.record.notice:
            self.console.print(search.record.notice, style="yellow", highlight=False, soft_wrap=True)
        if self.before:
            self.console.print(f"resuming: {self.before} of {self.total} trials are done")
        if self.console.is_terminal:
            columns = (TextColumn("search"), BarColumn(None), MofNCompleteColumn(), TextColumn("{task.description}"))
            self.bar = Bar(*columns, console=self.console, transient=True)
            self.task = self.bar.add_task("starting workers", total=self.total, completed=self.before)
            self.bar.start()

    def step(self, trial: Trial) -> None:
        """Show that the first trial is under way."""
        if self.bar and self.count == self.before:
            self.bar.update(self.task, description=f"trial {trial.number} is running")

    def ended(self, trial: Trial) -> None:
        """Count the trial and show the new state."""
        self.count += 1
        self.failed += trial.state is State.FAILED
        self.stopped += trial.state is State.STOPPED
        self.front = pareto_front([*self.front, trial], self.aims)
        text = self._text()
        if self.bar:
            self.bar.update(self.task, completed=self.count, description=text)
        elif time.monotonic() - self.last_line >= self.line_seconds or self.count == self.total:
            self.last_line = time.monotonic()
            self.console.print(f"search {self.count}/{self.total}  {text}", highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print what was not said yet: causes may take turns (ErrImagePull, ImagePullBackOff) for as long as a search waits."""
        if text not in self.noted:
            self.noted.add(text)
            self.console.print(text, style="dim", highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar:
            self.bar.stop()

    def _text(self) -> str:
        parts = []
        if self.front:
            best, metrics = self.front[0], [objective.metric for objective in self.aims.objectives]
            values = ", ".join(f"{metric} {best.metrics[metric]:.4g}" for metric in metrics)
            parts.append(f"best {values} (trial {best.number})")
        parts += [f"front of {len(self.front)}"] if len(self.aims.objectives) > 1 and self.front else []
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.stopped} stopped"] if self.stopped else []
        pace = (time.monotonic() - self.started) / max(self.count - self.before, 1)
        left = timedelta(seconds=round(pace * (self.total - self.count)))
        return "  ".join([*parts, f"{left} left"])
