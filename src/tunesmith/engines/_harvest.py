"""Brings what trials on a cluster left into the record: each outcome once, and the best trials' models."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tunesmith.engines._books import Books
from tunesmith.engines._engine import Progress, Search
from tunesmith.engines._outcomes import Outcomes
from tunesmith.katib.cluster import Cluster, Object
from tunesmith.katib.gpu_time import GpuTime
from tunesmith.study import Trial


class Harvest:
    """The ended trials of a study whose storage URI is `study`; `recorded` are those that the record had before."""

    def __init__(
        self, cluster: Cluster, search: Search, progress: Progress, study: str, gpu_time: GpuTime, recorded: Iterable[Trial]
    ) -> None:
        self.cluster, self.gpu_time = cluster, gpu_time
        self.outcomes = Outcomes(cluster, search, study)
        self.books = Books(search, progress, recorded)

    def collect(self, experiment: dict[str, Any]) -> bool:
        """Record the trials of an Experiment that have ended since the last look; tells whether there were any.

        Raises Hopeless where nothing ever worked.
        """
        names = self.outcomes.ended(experiment)
        for name in names:
            self._enter(self.outcomes.fetch(name), name, self.cluster.pods(f"job-name={name}"))
        return bool(names)

    def adopt(self) -> None:
        """Record the outcomes that Experiments left at the storage which are gone; raises Hopeless."""
        for trial in self.outcomes.left_behind():
            self._enter(trial, "", [])

    def _enter(self, trial: Trial, name: str, pods: list[Object]) -> None:
        """Record a trial of Katib's with that name, its GPU time, and while it is among the best, its model."""
        trial = replace(trial, facts=trial.facts | self.gpu_time.settle(name, pods, trial.seconds))
        if self.books.would_keep(trial):
            self.outcomes.fetch_model(trial)
        for dropped in self.books.enter(trial):
            self.outcomes.drop_model(dropped)
