"""What every engine does when a trial has ended: record it, keep the best models, tell the progress, see hopeless searches."""

from collections.abc import Iterable

from tunesmith.engines._engine import Progress, Search
from tunesmith.errors import Hopeless
from tunesmith.evaluation._context import CHECKPOINT
from tunesmith.study import State, Trial, ranking

# So many of the best trials keep their checkpoint.
CHECKPOINTS = 5
# A search whose first trials all fail has a mistake that no candidate can mend.
HOPELESS = 10


class Books:
    """The ended trials of a search: how many, and which are the best."""

    def __init__(self, search: Search, progress: Progress, recorded: Iterable[Trial]) -> None:
        self.search, self.progress = search, progress
        done = [trial for trial in recorded if trial.done]
        self.kept = ranking(done, search.objective)[:CHECKPOINTS]
        self.ended = len(done)
        self.hopeful = any(trial.state is not State.FAILED for trial in done)

    def enter(self, trial: Trial) -> Trial | None:
        """Record an ended trial; returns the trial whose checkpoint had to give way, if any.

        Raises Hopeless where nothing ever worked, with the last trial's reason.
        """
        self.search.record.finish(trial)
        self.ended += 1
        self.hopeful = self.hopeful or trial.state is not State.FAILED
        dropped = self._keep(trial)
        self.progress.ended(trial)
        self._refuse_hopeless(trial)
        return dropped

    def would_keep(self, trial: Trial) -> bool:
        """Tell whether a trial that ends like this is among the best."""
        return trial in ranking([*self.kept, trial], self.search.objective)[:CHECKPOINTS]

    def _keep(self, last: Trial) -> Trial | None:
        best = ranking([*self.kept, last], self.search.objective)
        self.kept, dropped = best[:CHECKPOINTS], best[CHECKPOINTS:]
        for trial in dropped:
            (self.search.record.trial_folder(trial.number) / CHECKPOINT).unlink(missing_ok=True)
        return dropped[0] if dropped else None

    def _refuse_hopeless(self, last: Trial) -> None:
        if self.hopeful or self.ended < HOPELESS:
            return
        raise Hopeless(
            f"the first {self.ended} trials all failed, the search ends here. The last one: {last.reason}\n"
            f"Its log: {self.search.record.trial_folder(last.number) / 'log'}"
        )
