"""What a search on a cluster may still use, and what Katib may still start of an Experiment."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.engines._engine import Progress, Search, untried
from tunesmith.engines._outcomes import ended_trials
from tunesmith.katib.candidate import issue_number
from tunesmith.katib.cluster import Cluster
from tunesmith.katib.gpu_time import GpuTime
from tunesmith.study import Trial

Object = Mapping[str, Any]


class Budget:
    """The trials, hours and GPU hours of a search; `gpu_time` counts what its pods have used."""

    def __init__(
        self, cluster: Cluster, search: Search, progress: Progress, gpu_time: GpuTime, gpu_hours: float | None
    ) -> None:
        self.cluster, self.search, self.progress = cluster, search, progress
        self.gpu_time, self.gpu_hours = gpu_time, gpu_hours
        self.started, self.before = time.monotonic(), search.record.seconds
        # By Experiment: how many trials it is to run in all, and which of them the search still waits for at its end.
        self._wanted: dict[str, int] = {}
        self._last: dict[str, set[str]] = {}

    @property
    def _seconds(self) -> float:
        return self.before + time.monotonic() - self.started

    def spend(self) -> None:
        """Record the time that the search has taken so far."""
        self.search.record.spend(self._seconds)

    def over(self) -> bool:
        """Tell whether the search has used up its hours or GPU hours."""
        return _reached(self._seconds, self.search.limits.hours) or _reached(self.gpu_time.seconds, self.gpu_hours)

    def left(self) -> int:
        """Return how many trials are still to be run when no Experiment is there."""
        return self._to_run(self.search.record.trials())

    def fit(self, experiment: Object) -> None:
        """Tell Katib of a budget that was changed since the Experiment was created; what it has started runs to its end."""
        name, spec, started = experiment["metadata"]["name"], experiment["spec"], _started(experiment)
        if name not in self._wanted:
            self._wanted[name] = self._wanted_of(experiment)
        wanted, allowed = self._wanted[name], spec["maxTrialCount"]
        # Its webhook wants more trials allowed than there are.
        trials = wanted if wanted > allowed else min(allowed, max(wanted, started + 1))
        # With fewer at a time it would end running ones.
        parallel = min(max(spec["parallelTrialCount"], self.search.limits.parallel), trials)
        if trials > started and (trials, parallel) != (allowed, spec["parallelTrialCount"]):
            self.cluster.change_budget(name, trials, parallel)

    def close(self, experiment: Object) -> bool:
        """Keep Katib from starting more than one trial, and tell whether all that ran at the first call has ended."""
        name, spec, allowed = experiment["metadata"]["name"], experiment["spec"], _started(experiment) + 1
        if name not in self._last:
            self.progress.note("the budget is spent; waiting for the trials that run")
            status = experiment.get("status", {})
            self._last[name] = {*status.get("runningTrialList", []), *status.get("pendingTrialList", [])}
        if allowed < spec["maxTrialCount"]:
            self.cluster.change_budget(name, allowed, min(spec["parallelTrialCount"], allowed))
        return self._last[name] <= set(ended_trials(experiment))

    def _wanted_of(self, experiment: Object) -> int:
        """Return how many trials an Experiment is to run, given those that the study has of others."""
        own = {issue_number(name) for name in ended_trials(experiment)}
        return self._to_run([trial for trial in self.search.record.trials() if trial.number not in own])

    def _to_run(self, others: Sequence[Trial]) -> int:
        left = self.search.limits.trials - sum(trial.done for trial in others)
        if left <= 0:
            return 0
        reached = self.search.strategy.reach(self.search.space)
        return untried(reached, {self.search.space.identity(trial.candidate) for trial in others}, left)


def _started(experiment: Object) -> int:
    return experiment.get("status", {}).get("trials", 0)


def _reached(seconds: float, hours: float | None) -> bool:
    return hours is not None and seconds >= hours * 3600
