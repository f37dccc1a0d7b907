"""Runs trials in worker processes on this machine, which are killed and replaced where they outlive a trial's limits."""

from dataclasses import dataclass

from tunesmith.engines._engine import Engine, Progress, Search
from tunesmith.engines._loop import Loop
from tunesmith.engines._processes import Processes


@dataclass(frozen=True)
class Local(Engine):
    """Trials in worker processes."""

    def run(self, search: Search, progress: Progress) -> None:
        record = search.record
        log = record.folder / "workers.log"
        Loop(search, Processes(search.evaluator, search.limits, search.seed, record.trial_folder, log), progress).run()
