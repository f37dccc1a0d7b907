"""What every engine does when a trial has ended: record it, keep the best models, tell the progress, see hopeless searches."""

import re
from collections import Counter
from collections.abc import Iterable

from tunesmith.engines._engine import Progress, Search
from tunesmith.errors import Hopeless
from tunesmith.evaluation._context import CHECKPOINT
from tunesmith.ranking import pareto_front, ranking
from tunesmith.study import State, Trial

# So many of the best trials keep their checkpoint; of several objectives the whole Pareto front does.
CHECKPOINTS = 5
# A search whose first trials all fail has a mistake that no candidate can mend.
HOPELESS = 10
# So many kinds of reasons are told.
MOST_REASONS = 5


class Books:
    """The ended trials of a search: how many, and which are the best."""

    def __init__(self, search: Search, progress: Progress, recorded: Iterable[Trial]) -> None:
        self.search, self.progress = search, progress
        done = [trial for trial in recorded if trial.done]
        self.kept = self._best(done)[0]
        self.ended = len(done)
        self.hopeful = any(trial.state is not State.FAILED for trial in done)
        self.reasons = [trial.reason for trial in done]

    def enter(self, trial: Trial) -> list[Trial]:
        """Record an ended trial; returns the trials whose checkpoints had to give way.

        Raises Hopeless where nothing ever worked, with the reasons.
        """
        self.search.record.finish(trial)
        self.ended += 1
        self.hopeful = self.hopeful or trial.state is not State.FAILED
        if not self.hopeful:
            self.reasons.append(trial.reason)
        dropped = self._keep(trial)
        self.progress.ended(trial)
        self._refuse_hopeless(trial)
        return dropped

    def would_keep(self, trial: Trial) -> bool:
        """Tell whether a trial that ends like this is among the best."""
        return trial in self._best([*self.kept, trial])[0]

    def _keep(self, last: Trial) -> list[Trial]:
        self.kept, dropped = self._best([*self.kept, last])
        for trial in dropped:
            (self.search.record.trial_folder(trial.number) / CHECKPOINT).unlink(missing_ok=True)
        return dropped

    def _best(self, trials: list[Trial]) -> tuple[list[Trial], list[Trial]]:
        """Return the trials whose checkpoints are worth keeping, and the others."""
        aims = self.search.aims
        ranked = ranking(trials, aims)
        front = len(pareto_front(trials, aims)) if len(aims.objectives) > 1 else 0
        count = max(CHECKPOINTS, front)
        return ranked[:count], ranked[count:]

    def _refuse_hopeless(self, last: Trial) -> None:
        if self.hopeful or self.ended < HOPELESS:
            return
        reasons = "\n".join(f"  {count} times: {reason}" for reason, count in _grouped(self.reasons))
        raise Hopeless(
            f"the first {self.ended} trials all failed, the search ends here. Why:\n{reasons}\n"
            f"The last one's log: {self.search.record.trial_folder(last.number) / 'log'}"
        )


def _grouped(reasons: Iterable[str]) -> list[tuple[str, int]]:
    """Return the commonest reasons and how often each was given; those that differ in their numbers alone count as one."""
    last: dict[str, str] = {}
    kinds: Counter[str] = Counter()
    for reason in reasons:
        first_line = reason.partition("\n")[0]
        kind = re.sub(r"\d[\d.,e+-]*", "#", first_line)
        last[kind] = first_line
        kinds[kind] += 1
    return [(last[kind], count) for kind, count in kinds.most_common(MOST_REASONS)]
