"""Runs trials as pods of a cluster: a Katib Experiment proposes and schedules them, this process follows and records.

Losing this process loses nothing: trials leave their outcomes at the storage, and the next call finds the Experiment by the
study's label. An interruption by the user deletes the Experiment; a later call goes on with another.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith import storage
from tunesmith.engines._budget import Budget
from tunesmith.engines._engine import Engine, Progress, Search
from tunesmith.engines._harvest import Harvest
from tunesmith.engines._pods import PodWatch
from tunesmith.errors import ClusterError, Hopeless, StudyError
from tunesmith.katib.cluster import Cluster
from tunesmith.katib.diagnosis import condition_of, messages, told_fallback
from tunesmith.katib.experiment import build_experiment
from tunesmith.katib.gpu_time import GpuTime
from tunesmith.katib.outline import STUDY_LABEL, Outline
from tunesmith.sections import ClusterSpec, ResourcesSpec

POLL_SECONDS = 1.0
DELETION_SECONDS = 120.0
# A store may be restarted under a running search.
STORAGE_SECONDS = 120.0
# So many of a continued study's trials are told to the suggestion service: they travel in one object of at most 1.5 MiB.
EARLIER = 1000


@dataclass(frozen=True)
class Place:
    """Where a study is on the cluster: its id (a label, and the start of its Experiments' names) and its storage URIs.

    `dataset` and `code` are empty where there is none.
    """

    study_id: str
    study: str
    dataset: str = ""
    code: str = ""


@dataclass(frozen=True)
class Katib(Engine):
    """Trials in pods; `content` is the study's as the pods are told it, its space fitted to the data."""

    cluster: Cluster
    settings: ClusterSpec
    resources: ResourcesSpec
    content: Mapping[str, Any]
    place: Place
    image: str
    gpu_hours: float | None = None

    def run(self, search: Search, progress: Progress) -> None:
        _Session(self, search, progress).run()


class _Session:
    def __init__(self, engine: Katib, search: Search, progress: Progress) -> None:
        self.engine, self.search, self.progress, self.cluster = engine, search, progress, engine.cluster
        self.recorded = search.record.trials()
        self.gpu_time = GpuTime(engine.resources.gpu, self.recorded)
        self.budget = Budget(engine.cluster, search, progress, self.gpu_time, engine.gpu_hours)
        self.harvest = Harvest(engine.cluster, search, progress, engine.place.study, self.gpu_time, self.recorded)

    def run(self) -> None:
        """Follow what runs already, then start what the budget has left."""
        self.progress.begin(self.search, self.recorded)
        try:
            with storage.patient(STORAGE_SECONDS):
                self._search()
        except KeyboardInterrupt:
            self._cancel()
            raise
        finally:
            self.progress.close()
            self.budget.spend()

    def _search(self) -> None:
        for experiment in self._experiments():
            self.progress.note(f"following the Experiment {experiment['metadata']['name']} in {self.cluster.namespace}")
            self._follow(experiment["metadata"]["name"])
        self.harvest.adopt()
        while (left := self.budget.left()) > 0 and not self.budget.over():
            ended = self.harvest.books.ended
            self._follow(self._create(left))
            if self.harvest.books.ended == ended:
                return
        ended, wanted = self.harvest.books.ended, self.search.limits.trials
        if not left and ended < wanted:
            self.progress.note(f"the space has no untried candidate left; the search ends after {ended} of {wanted} trials")

    def _experiments(self) -> list[dict[str, Any]]:
        """Return the study's Experiments, oldest first, when those being deleted are gone."""
        until = time.monotonic() + DELETION_SECONDS
        while True:
            found = self.cluster.experiments(f"{STUDY_LABEL}={self.engine.place.study_id}")
            if not any("deletionTimestamp" in experiment["metadata"] for experiment in found) or time.monotonic() > until:
                return sorted(found, key=lambda experiment: experiment["metadata"]["creationTimestamp"])
            time.sleep(POLL_SECONDS)

    def _create(self, left: int) -> str:
        """Create an Experiment for the trials that are left; returns its name."""
        recorded = self.search.record.trials()
        offset = max((trial.number + 1 for trial in recorded), default=0)
        self.search.describe_strategy(self.search.view(recorded, offset))
        outline = Outline(
            # Katib mixes up an Experiment with a deleted one of its name whose trials are still there.
            name=f"{self.engine.place.study_id}-{offset}-{secrets.token_hex(2)}",
            namespace=self.cluster.namespace,
            study_id=self.engine.place.study_id,
            content=self.engine.content,
            objective=self.search.objective,
            trials=left,
            parallel=min(self.search.limits.parallel, left),
            image=self.engine.image,
            study=self.engine.place.study,
            dataset=self.engine.place.dataset,
            code=self.engine.place.code,
            offset=offset,
            earlier=recorded[-EARLIER:],
            first=self.search.first,
            others=self.search.others,
            constraints=self.search.constraints,
            studies=self.search.earlier,
            kin=self.search.strategy.names_parents(self.search.space),
        )
        self.cluster.create_experiment(build_experiment(outline, self.engine.settings, self.engine.resources))
        self.progress.note(f"started the Experiment {outline.name} in {self.cluster.namespace}: {left} trials")
        return outline.name

    def _follow(self, name: str) -> None:
        """Collect an Experiment's trials until it has ended; raises StudyError where it cannot go on."""
        watch = PodWatch(self.cluster, self.gpu_time, self.engine.settings.start_seconds)
        while True:
            experiment = self.cluster.experiment(name)
            if experiment is None:
                raise ClusterError(f"the Experiment {name} was deleted; run the same command again to go on with what is left")
            if self._collect(experiment):
                watch.patience.progressed()
            condition = condition_of(experiment)
            if condition in ("Succeeded", "Failed"):
                return self._check_end(experiment)
            if not self.budget.over():
                self.budget.fit(experiment)
            elif self.budget.close(experiment):
                return self.cluster.delete_experiment(name)
            self._watch_pods(name, watch)
            time.sleep(POLL_SECONDS)

    def _collect(self, experiment: dict[str, Any]) -> bool:
        """Record what has ended since the last look; tells whether anything had."""
        try:
            collected = self.harvest.collect(experiment)
        except Hopeless:
            # It shall not run on unseen.
            self.cluster.delete_experiment(experiment["metadata"]["name"])
            raise
        if collected:
            self._note_fallback(experiment["metadata"]["name"])
            self.budget.spend()
            recorded = self.search.record.trials()
            self.search.describe_strategy(self.search.view(recorded, recorded[-1].number + 1))
        return collected

    def _check_end(self, experiment: dict[str, Any]) -> None:
        """Tell what the service could not do; raise StudyError where Katib gave up for another reason than failed trials."""
        name = experiment["metadata"]["name"]
        status = self._note_fallback(name)
        if condition_of(experiment) == "Succeeded" or experiment["status"].get("trials", 0):
            return
        said = messages(status, "Failed") or messages(experiment["status"], "Failed")
        self.cluster.delete_experiment(name)
        raise StudyError(f"the Experiment {name} failed: {said[-1] if said else 'Katib does not say why'}")

    def _note_fallback(self, name: str) -> Mapping[str, Any]:
        """Tell how many proposals were not the strategy's so far; returns the Suggestion's status."""
        status = (self.cluster.suggestion(name) or {}).get("status", {})
        if fallback := told_fallback(status):
            self.progress.note(fallback)
        return status

    def _watch_pods(self, name: str, watch: PodWatch) -> None:
        """Show what keeps pods from running, and give up when that lasts too long."""
        if text := watch.look(name):
            self.progress.note(text)
        if reason := watch.hopeless():
            self.cluster.delete_experiment(name)
            raise StudyError(f"the Experiment {name} does not get on:\n{reason}")

    def _cancel(self) -> None:
        """Stop what runs on the cluster; what has ended is recorded by the next call at the latest."""
        self.progress.note("stopping the Experiment")
        for experiment in self.cluster.experiments(f"{STUDY_LABEL}={self.engine.place.study_id}"):
            if condition_of(experiment) not in ("Succeeded", "Failed"):
                try:
                    self._collect(experiment)
                finally:
                    self.cluster.delete_experiment(experiment["metadata"]["name"])
