"""Runs trials as pods of a cluster: a Katib Experiment proposes and schedules them, this process follows and records.

Losing this process loses nothing: trials leave their outcomes at the storage, and the next call finds the Experiment by the
study's label. An interruption by the user deletes the Experiment; a later call goes on with another.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunesmith import storage
from tunesmith.engines._books import Books
from tunesmith.engines._engine import Engine, Progress, Search, untried
from tunesmith.engines._outcomes import Outcomes, ended_trials
from tunesmith.engines._pods import PodWatch
from tunesmith.errors import ClusterError, Hopeless, StudyError
from tunesmith.katib.candidate import issue_number
from tunesmith.katib.cluster import Cluster
from tunesmith.katib.diagnosis import messages, told_fallback
from tunesmith.katib.experiment import STUDY_LABEL, Outline, build_experiment
from tunesmith.katib.gpu_time import GpuTime
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.study import Trial

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
        self.started, self.spent = time.monotonic(), search.record.seconds
        self.last: set[str] = set()
        self.outcomes = Outcomes(engine.cluster, search, engine.place.study)

    def run(self) -> None:
        """Follow what runs already, then start what the budget has left."""
        recorded = self.search.record.trials()
        self.books = Books(self.search, self.progress, recorded)
        self.gpu_time = GpuTime(self.engine.resources.gpu, recorded)
        self.progress.begin(self.search, recorded)
        try:
            with storage.patient(STORAGE_SECONDS):
                self._search()
        except KeyboardInterrupt:
            self._cancel()
            raise
        finally:
            self.progress.close()
            self._spend()

    def _search(self) -> None:
        for experiment in self._experiments():
            self.progress.note(f"following the Experiment {experiment['metadata']['name']} in {self.cluster.namespace}")
            self._follow(experiment["metadata"]["name"])
        self._adopt()
        while (left := self._left()) > 0 and not self._over_budget():
            ended = self.books.ended
            self._follow(self._create(left))
            if self.books.ended == ended:
                return

    def _left(self) -> int:
        """Return how many trials are still to be run."""
        left = self.search.limits.trials - self.books.ended
        return untried(self.search.space, {trial.key for trial in self.search.record.trials()}, left) if left > 0 else 0

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
            condition = _condition(experiment)
            if condition in ("Succeeded", "Failed"):
                return self._check_end(experiment)
            self._fit_budget(experiment)
            if self._over_budget() and self._drained(experiment):
                return self.cluster.delete_experiment(name)
            self._watch_pods(name, watch)
            time.sleep(POLL_SECONDS)

    def _collect(self, experiment: dict[str, Any]) -> bool:
        """Record the trials that have ended since the last look; tells whether there were any."""
        names = self.outcomes.ended(experiment)
        for name in names:
            trial = self.outcomes.fetch(name)
            facts = trial.facts | self.gpu_time.settle(name, self.cluster.pods(f"job-name={name}"))
            trial = replace(trial, facts=facts)
            if self.books.would_keep(trial):
                self.outcomes.fetch_model(trial)
            if dropped := self._enter(trial, experiment["metadata"]["name"]):
                self.outcomes.drop_model(dropped)
            self._spend()
        return bool(names)

    def _enter(self, trial: Trial, experiment: str) -> Trial | None:
        """Record a trial; returns the one whose model gives way. A search without hope does not run on unseen."""
        try:
            return self.books.enter(trial)
        except Hopeless:
            self.cluster.delete_experiment(experiment)
            raise

    def _adopt(self) -> None:
        """Record the outcomes that were left at the storage by Experiments that are gone."""
        for trial in self.outcomes.left_behind():
            if self.books.would_keep(trial):
                self.outcomes.fetch_model(trial)
            self.books.enter(trial)

    def _check_end(self, experiment: dict[str, Any]) -> None:
        """Tell what the service could not do; raise StudyError where Katib gave up for another reason than failed trials."""
        name = experiment["metadata"]["name"]
        status = (self.cluster.suggestion(name) or {}).get("status", {})
        if fallback := told_fallback(status):
            self.progress.note(fallback)
        if _condition(experiment) == "Succeeded" or experiment["status"].get("trials", 0):
            return
        said = messages(status, "Failed") or messages(experiment["status"], "Failed")
        self.cluster.delete_experiment(name)
        raise StudyError(f"the Experiment {name} failed: {said[-1] if said else 'Katib does not say why'}")

    def _fit_budget(self, experiment: dict[str, Any]) -> None:
        """Tell Katib of a budget that was raised since the Experiment was created."""
        own = {issue_number(name) for name in ended_trials(experiment)}
        others = [trial for trial in self.search.record.trials() if trial.number not in own]
        wanted, allowed = self.search.limits.trials - len(others), experiment["spec"]["maxTrialCount"]
        if wanted <= allowed or self._over_budget():
            return
        trials = untried(self.search.space, {trial.key for trial in others}, wanted)
        if trials > allowed:
            parallel = min(self.search.limits.parallel, trials)
            self.cluster.change_budget(experiment["metadata"]["name"], trials, parallel)

    def _over_budget(self) -> bool:
        seconds = self.spent + time.monotonic() - self.started
        return _reached(seconds, self.search.limits.hours) or _reached(self.gpu_time.seconds, self.engine.gpu_hours)

    def _drained(self, experiment: dict[str, Any]) -> bool:
        """Tell whether all that ran when the budget was spent has ended; Katib is kept from starting more than one.

        Its webhook wants more trials allowed than there are, and with fewer at a time it would end running ones.
        """
        status = experiment.get("status", {})
        if not self.last:
            self.progress.note("the budget is spent; waiting for the trials that run")
            self.last = set(status.get("runningTrialList", [])) | set(status.get("pendingTrialList", []))
            allowed = status.get("trials", 0) + 1
            if allowed < experiment["spec"]["maxTrialCount"]:
                parallel = min(experiment["spec"]["parallelTrialCount"], allowed)
                self.cluster.change_budget(experiment["metadata"]["name"], allowed, parallel)
        return not self.last - set(ended_trials(experiment))

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
            if _condition(experiment) not in ("Succeeded", "Failed"):
                try:
                    self._collect(experiment)
                finally:
                    self.cluster.delete_experiment(experiment["metadata"]["name"])

    def _spend(self) -> None:
        self.search.record.spend(self.spent + time.monotonic() - self.started)


def _reached(seconds: float, hours: float | None) -> bool:
    return hours is not None and seconds >= hours * 3600


def _condition(experiment: dict[str, Any]) -> str:
    """Return the Experiment's last condition that holds."""
    conditions = experiment.get("status", {}).get("conditions", [])
    holding = [item["type"] for item in conditions if item.get("status") == "True"]
    return next((kind for kind in ("Failed", "Succeeded") if kind in holding), holding[-1] if holding else "Created")
