"""The loop of every engine whose trials run on this machine: ask, start, listen, record."""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from tunesmith.engines._books import Books
from tunesmith.engines._engine import Progress, Search, judged
from tunesmith.errors import SpaceExhausted, StudyError
from tunesmith.schedulers._scheduler import Curve, Curves
from tunesmith.strategies._strategy import propose
from tunesmith.study import State, Trial

ATTEMPTS = 3
# A trial that was running so often when the whole search died is taken for the cause.
DEATHS = 5

OnReport = Callable[[int, int, dict[str, float]], str]


@dataclass(frozen=True)
class Ended:
    """A trial's end as a worker tells it; `lost` where the worker died with it through no fault of the candidate."""

    trial: Trial
    lost: bool = False


class Workers(ABC):
    """Runs evaluations. `on_report(number, step, metrics)` is called for every reported step and returns why to stop, or ''."""

    @abstractmethod
    def free(self) -> int:
        """Return how many trials can be started now."""

    @abstractmethod
    def start(self, trial: Trial) -> None:
        """Start evaluating a trial."""

    @abstractmethod
    def wait(self, on_report: OnReport, until: float) -> list[Ended]:
        """Wait until a trial has ended, or the clock (time.monotonic) shows `until`; return those that have ended."""

    @abstractmethod
    def stop(self) -> None:
        """End all workers, whatever they are doing."""


class Loop:
    """Runs a search on workers until its budget is spent."""

    def __init__(self, search: Search, workers: Workers, progress: Progress) -> None:
        self.search, self.workers, self.progress = search, workers, progress
        recorded = search.record.trials()
        self.trials = {trial.number: trial for trial in recorded}
        self.interrupted = deque(trial for trial in recorded if not trial.done)
        self.running: set[int] = set()
        self.losses: dict[int, list[float]] = self._recorded_losses()
        self.books = Books(search, progress, recorded)
        self.exhausted = False
        self.spent = search.record.seconds
        self.started = time.monotonic()

    def run(self) -> None:
        """Run to the end of the budget; what was running at an interruption is run again next time."""
        self.progress.begin(self.search, list(self.trials.values()))
        try:
            while self._start_trials() or self.running:
                self._listen()
        finally:
            self.workers.stop()
            self.progress.close()
            self._forgive()
            self._spend()

    def _forgive(self) -> None:
        """An end in order is no fault of the trials that were running: it does not count as an attempt."""
        for number in self.running:
            trial = self.trials[number]
            self.search.record.begin(number, trial.candidate, trial.attempts - 1, trial.parent)

    def _spend(self) -> None:
        self.search.record.spend(self.spent + time.monotonic() - self.started)

    def _start_trials(self) -> bool:
        """Start as many trials as workers are free; tells whether any was started."""
        started = False
        while self.workers.free() and (trial := self._next_trial()):
            self.running.add(trial.number)
            self.losses.pop(trial.number, None)
            self.trials[trial.number] = trial
            self.workers.start(trial)
            started = True
        return started

    def _next_trial(self) -> Trial | None:
        if time.monotonic() >= self._deadline():
            return None
        while self.interrupted:
            trial = self.interrupted.popleft()
            if trial.attempts < DEATHS:
                return self.search.record.begin(trial.number, trial.candidate, trial.attempts + 1, trial.parent)
            reason = f"the search died {trial.attempts} times while this trial ran"
            self._finish(replace(trial, state=State.FAILED, reason=reason))
        if self.exhausted or len(self.trials) >= self.search.limits.trials:
            return None
        study = self.search.view((self.trials[number] for number in sorted(self.trials)), self._issued())
        self.search.describe_strategy(study)
        try:
            proposal = propose(self.search.strategy, study, 1)[0]
        except SpaceExhausted as error:
            self.exhausted = True
            self.progress.note(f"{error}; the search ends after {len(self.trials)} of {study.budget} trials")
            return None
        return self.search.record.begin(self._issued(), proposal.candidate, parent=proposal.parent)

    def _issued(self) -> int:
        """Return the next trial's number; a trial whose files were lost leaves a gap that is not filled."""
        return max(self.trials, default=-1) + 1

    def _deadline(self) -> float:
        hours = self.search.limits.hours
        return float("inf") if hours is None else self.started - self.spent + hours * 3600

    def _listen(self) -> None:
        for ended in self.workers.wait(self._on_report, self._deadline() if not self._overdue() else float("inf")):
            if ended.trial.state is State.RUNNING:
                told = "mend that and run the same command again, nothing finished is lost"
                raise StudyError(f"{self.search.record.folder}: {ended.trial.reason}; {told}")
            self.running.discard(ended.trial.number)
            if ended.lost and ended.trial.attempts < ATTEMPTS:
                self.interrupted.append(ended.trial)
                continue
            self._finish(judged(ended.trial, self.search.aims))

    def _overdue(self) -> bool:
        return time.monotonic() >= self._deadline()

    def _finish(self, trial: Trial) -> None:
        self.trials[trial.number] = trial
        self._spend()
        self.books.enter(trial)

    def _on_report(self, number: int, step: int, metrics: dict[str, float]) -> str:
        """Record one step of a running trial; returns why it should stop, or ''."""
        self.search.record.report(number, step, metrics)
        self.progress.step(replace(self.trials[number], metrics=metrics))
        if self.search.scheduler is None or self.search.objective.metric not in metrics:
            return ""
        own = self.losses.setdefault(number, [])
        own.append(self.search.objective.loss(metrics[self.search.objective.metric]))
        return self.search.scheduler.verdict(number, own, self._others(number))

    def _others(self, number: int) -> Curves:
        """Return the curves of all other trials that have not failed."""
        states = {other: self.trials[other].state for other in self.losses if other != number}
        return {
            other: Curve(self.losses[other], state is State.FINISHED)
            for other, state in states.items()
            if state is not State.FAILED
        }

    def _recorded_losses(self) -> dict[int, list[float]]:
        """Return the curves of the trials that an earlier session finished, where a scheduler will ask for them."""
        if self.search.scheduler is None:
            return {}
        metric, loss = self.search.objective.metric, self.search.objective.loss
        curves = self.search.record.curves()
        return {
            number: [loss(metrics[metric]) for _, metrics in curve if metric in metrics]
            for number, curve in curves.items()
            if self.trials[number].done
        }
