"""Collects what trials on a cluster left: outcomes and models at the storage, else what Katib and their pods can tell."""

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith import storage
from tunesmith.engines._engine import Search, judged
from tunesmith.errors import SpecError, StorageError
from tunesmith.evaluation._context import CHECKPOINT
from tunesmith.katib.candidate import NO_PARENT, PARAMETER, PARENT, decode, decode_parent, issue_number
from tunesmith.katib.cluster import Cluster
from tunesmith.katib.diagnosis import failure
from tunesmith.spaces._space import Candidate, canonical
from tunesmith.study import State, Trial

Object = Mapping[str, Any]
# A file that another machine wrote to a shared volume may take a moment to be seen.
SETTLE_SECONDS = 5.0
LISTS = ("succeededTrialList", "failedTrialList", "killedTrialList", "earlyStoppedTrialList", "metricsUnavailableTrialList")


class Outcomes:
    """The outcomes of a study's trials; `study` is its storage URI."""

    def __init__(self, cluster: Cluster, search: Search, study: str) -> None:
        self.cluster, self.search, self.study = cluster, search, study
        self._recorded = {trial.number for trial in search.record.trials() if trial.done}

    def ended(self, experiment: Object) -> list[str]:
        """Return the names of an Experiment's trials that have ended and are not recorded, by number."""
        fresh = [(number, name) for name in ended_trials(experiment) if (number := issue_number(name)) is not None]
        return [name for number, name in sorted(fresh) if number not in self._recorded]

    def fetch(self, name: str) -> Trial:
        """Return an ended trial of Katib's as it is to be recorded; its curve and log are in the record already."""
        katib = self.cluster.trial(name)
        number = issue_number(name)
        assert number is not None
        assigned = _assigned(katib)
        candidate = decode(assigned[PARAMETER])
        succeeded = _condition(katib) in ("Succeeded", "EarlyStopped")
        outcome = self._read(number, candidate, SETTLE_SECONDS if succeeded else 0.0)
        if outcome is None:
            outcome = self._from_katib(katib, name, succeeded)
        return self._enter(number, candidate, outcome | {"parent": decode_parent(assigned.get(PARENT, NO_PARENT))})

    def left_behind(self) -> Iterator[Trial]:
        """Yield the trials whose outcomes lie at the storage and that are not recorded."""
        numbers = [int(name) for name in storage.names(storage.join(self.study, "trials")) if re.fullmatch(r"\d+", name)]
        for number in sorted(set(numbers) - self._recorded):
            candidate = self._json(number, "candidate.json")
            outcome = self._json(number, "outcome.json")
            if candidate is not None and outcome is not None:
                yield self._enter(number, candidate, outcome)

    def fetch_model(self, trial: Trial) -> None:
        """Copy a trial's model into the record, if it left one."""
        source = self._uri(trial.number, CHECKPOINT)
        if trial.state is State.FINISHED and storage.exists(source):
            storage.download(source, self.search.record.trial_folder(trial.number) / CHECKPOINT)

    def drop_model(self, trial: Trial) -> None:
        """Delete a trial's model at the storage."""
        storage.remove(self._uri(trial.number, CHECKPOINT))

    def _uri(self, number: int, name: str) -> str:
        return storage.join(self.study, "trials", str(number), name)

    def _json(self, number: int, name: str) -> Any:
        """Return a trial's file's content, None where it is missing."""
        uri = self._uri(number, name)
        if not storage.exists(uri):
            return None
        try:
            return json.loads(storage.read_text(uri))
        except ValueError:
            raise StorageError(f"{uri}: is damaged; delete it, and the search goes on without that trial") from None

    def _read(self, number: int, candidate: Candidate, patience: float) -> dict[str, Any] | None:
        """Return the outcome that a trial of this candidate left; one of another candidate is of an earlier Experiment."""
        until = time.monotonic() + patience
        while True:
            outcome = self._json(number, "outcome.json")
            if outcome is not None:
                left = self._json(number, "candidate.json")
                return outcome if left is not None and canonical(left) == canonical(candidate) else None
            if time.monotonic() >= until:
                return None
            time.sleep(patience / 5)

    def _from_katib(self, katib: Object, name: str, succeeded: bool) -> dict[str, Any]:
        """Return the outcome of a trial that left none at the storage."""
        if succeeded:
            return {"state": State.FINISHED, "metrics": _metrics(katib)}
        return {"state": State.FAILED, "reason": failure(katib, self.cluster.pods(f"job-name={name}"))}

    def _enter(self, number: int, candidate: Candidate, outcome: dict[str, Any]) -> Trial:
        """Record that the trial ran, and its curve; return it as it ended."""
        record = self.search.record
        curve = outcome.pop("curve", [])
        attempts = outcome.get("attempts", 1)
        record.begin(number, candidate, attempts, outcome.get("parent"))
        for step, metrics in curve:
            record.report(number, step, metrics)
        self._fetch_log(number)
        self._recorded.add(number)
        return judged(Trial(number, candidate, **{**outcome, "state": State(outcome["state"])}), self.search.aims)

    def _fetch_log(self, number: int) -> None:
        source = self._uri(number, "log")
        if storage.exists(source):
            storage.download(source, self.search.record.trial_folder(number) / "log")


def ended_trials(experiment: Object) -> list[str]:
    """Return the names of an Experiment's trials that have ended."""
    status = experiment.get("status", {})
    return [name for kind in LISTS for name in status.get(kind, [])]


def _assigned(trial: Object) -> dict[str, str]:
    """Return a trial's parameters; raises SpecError where no candidate is among them."""
    assigned = {item["name"]: item["value"] for item in trial["spec"]["parameterAssignments"]}
    if PARAMETER not in assigned:
        raise SpecError(f"the trial {trial['metadata']['name']} has no parameter {PARAMETER!r}; it is no trial of Tunesmith's")
    return assigned


def _condition(trial: Object) -> str:
    holding = [item["type"] for item in trial.get("status", {}).get("conditions", []) if item.get("status") == "True"]
    return holding[-1] if holding else ""


def _metrics(trial: Object) -> dict[str, float]:
    """Return the last value of each metric that Katib has of a trial."""
    metrics = {}
    for metric in trial.get("status", {}).get("observation", {}).get("metrics", []):
        try:
            value = float(metric.get("latest", "nan"))
        except ValueError:
            continue
        if math.isfinite(value):
            metrics[metric["name"]] = value
    return metrics
