"""Runs trials one after the other in this very process: for quick functions and for debuggers. No limits can be kept."""

from dataclasses import dataclass
from pathlib import Path

from tunesmith.engines._attempt import attempt, make_context
from tunesmith.engines._engine import Engine, Progress, Search
from tunesmith.engines._loop import Ended, Loop, OnReport, Workers
from tunesmith.errors import SpecError
from tunesmith.study import Trial, trial_seed


@dataclass(frozen=True)
class Inline(Engine):
    """Trials in this process."""

    def run(self, search: Search, progress: Progress) -> None:
        limits = search.limits
        if limits.parallel > 1 or limits.memory is not None or limits.seconds is not None:
            raise SpecError("engine: 'inline' runs one trial at a time without limits; allowed: 'local'")
        search.evaluator.check_installed()
        Loop(search, _ThisProcess(search), progress).run()


class _ThisProcess(Workers):
    def __init__(self, search: Search) -> None:
        self.search = search
        self.trial: Trial | None = None

    def free(self) -> int:
        return 1 if self.trial is None else 0

    def start(self, trial: Trial) -> None:
        self.trial = trial

    def wait(self, on_report: OnReport, until: float) -> list[Ended]:
        del until
        if self.trial is None:
            return []
        trial, folder = self.trial, self.search.record.trial_folder(self.trial.number)
        context = make_context(
            *(trial, trial_seed(self.search.seed, trial.number), folder, None),
            report=lambda step, metrics: on_report(trial.number, step, metrics),
        )
        ended = attempt(self.search.evaluator, trial, context, lambda text: _append(folder / "log", text))
        self.trial = None
        return [Ended(ended)]

    def stop(self) -> None:
        self.trial = None


def _append(path: Path, text: str) -> None:
    with path.open("a") as log:
        log.write(text)
