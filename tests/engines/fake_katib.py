"""A cluster in memory: Katib's controller as far as the engine sees it, with the real suggestion service behind it.

Time passes at every look at an Experiment. The tests in tests/cluster run the same engine against a real Katib.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc

from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.candidate import decode, issue_number
from tunesmith.katib.cluster import Cluster
from tunesmith.katib.outline import LABEL
from tunesmith.katib.server import make_server

Status = api_pb2.TrialStatus
# What a pod does: returns its outcome as `tunesmith trial` would leave it, or None where it dies without a word.
Pod = Callable[[dict[str, Any]], dict[str, Any] | None]
ENDED = {"Succeeded": "succeededTrialList", "Failed": "failedTrialList"}


class FakeKatib(Cluster):
    """A namespace whose trials run `pod` and end at the second look after their start."""

    def __init__(self, stub: api_pb2_grpc.SuggestionStub, study: Path, pod: Pod) -> None:
        super().__init__(client=None, namespace="team-a")
        self.__dict__.update(stub=stub, study=study, pod=pod, made={}, trials={}, settings={}, created=0, warnings=[], stuck=[])

    def create_experiment(self, experiment: dict[str, Any]) -> dict[str, Any] | None:
        name = experiment["metadata"]["name"]
        if name in self.made:
            return None
        self.__dict__["created"] += 1
        stamp = f"2026-01-01T00:00:{self.created:02d}Z"
        self.made[name] = {**json.loads(json.dumps(experiment)), "status": {"conditions": [_holds("Created")]}}
        self.made[name]["metadata"]["creationTimestamp"] = stamp
        self.settings[name] = {item["name"]: item["value"] for item in experiment["spec"]["algorithm"]["algorithmSettings"]}
        return self.made[name]

    def experiment(self, name: str) -> dict[str, Any] | None:
        if name not in self.made:
            return None
        self._pass_time(name)
        return self.made[name]

    def experiments(self, selector: str) -> list[dict[str, Any]]:
        key, _, value = selector.partition("=")
        return [made for made in self.made.values() if made["metadata"]["labels"].get(key) == value]

    def change_budget(self, name: str, trials: int, parallel: int) -> None:
        assert trials > len(self._of(name)), "must be greater than status.trials count"
        self.made[name]["spec"] |= {"maxTrialCount": trials, "maxFailedTrialCount": trials, "parallelTrialCount": parallel}

    def delete_experiment(self, name: str) -> None:
        self.made.pop(name, None)
        for trial in self._of(name):
            del self.trials[trial]

    def trial(self, name: str) -> dict[str, Any]:
        return self.trials[name]

    def suggestion(self, name: str) -> dict[str, Any] | None:
        return {"status": {"conditions": [{"type": "Failed", "message": "Validation failed"}]}}

    def pods(self, selector: str, unfinished: bool = False) -> list[dict[str, Any]]:
        if selector.startswith("job-name="):
            return []
        return [*self.stuck, *(self._running_pod(name) for name in self.trials if _condition(self.trials[name]) == "Running")]

    def events(self) -> list[dict[str, Any]]:
        return self.warnings

    def _running_pod(self, name: str) -> dict[str, Any]:
        labels = {"job-name": name, "app.kubernetes.io/component": "trial"}
        state = {"running": {"startedAt": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}}
        status = {"phase": "Running", "containerStatuses": [{"state": state}]}
        return {"metadata": {"name": name, "uid": name, "labels": labels}, "status": status}

    def _of(self, experiment: str) -> list[str]:
        return [name for name, trial in self.trials.items() if trial["experiment"] == experiment]

    def _pass_time(self, name: str) -> None:
        experiment = self.made[name]
        if self.stuck or self.warnings or experiment["status"]["conditions"][-1]["type"] == "Succeeded":
            return
        for trial in self._of(name):
            self._end(trial)
        self._fill_up(experiment)
        self._count(experiment)

    def _end(self, name: str) -> None:
        trial = self.trials[name]
        if _condition(trial) != "Running":
            return
        candidate = decode(trial["spec"]["parameterAssignments"][0]["value"])
        outcome = self.pod(candidate)
        state = "Succeeded" if outcome and outcome["state"] != "failed" else "Failed"
        trial["status"]["conditions"].append(_holds(state))
        if outcome is None:
            return
        folder = self.study / "trials" / str(issue_number(name))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "candidate.json").write_text(json.dumps(candidate))
        (folder / "outcome.json").write_text(json.dumps(outcome))
        (folder / "log").write_text("what the trial printed\n")
        if state == "Succeeded":
            (folder / "model.keras").write_text(name)
            metrics = [{"name": key, "latest": repr(value)} for key, value in outcome["metrics"].items()]
            trial["status"]["observation"] = {"metrics": metrics}

    def _fill_up(self, experiment: dict[str, Any]) -> None:
        name, spec = experiment["metadata"]["name"], experiment["spec"]
        trials = self._of(name)
        running = sum(_condition(self.trials[trial]) == "Running" for trial in trials)
        wanted = min(spec["parallelTrialCount"] - running, spec["maxTrialCount"] - len(trials))
        if wanted <= 0:
            return
        reply = self.stub.GetSuggestions(self._request(experiment, trials, wanted))
        self.settings[name] |= {item.name: item.value for item in reply.algorithm.algorithm_settings}
        for suggested in reply.parameter_assignments:
            assignments = [{"name": item.name, "value": item.value} for item in suggested.assignments]
            self.trials[suggested.trial_name] = {
                "experiment": name,
                "spec": {"parameterAssignments": assignments},
                "metadata": {"name": suggested.trial_name},
                "status": {"conditions": [_holds("Running")]},
            }

    def _request(self, experiment: dict[str, Any], trials: list[str], wanted: int) -> api_pb2.GetSuggestionsRequest:
        name, spec = experiment["metadata"]["name"], experiment["spec"]
        request = api_pb2.GetSuggestionsRequest(current_request_number=wanted, total_request_number=len(trials) + wanted)
        made = request.experiment
        made.name = name
        made.spec.parallel_trial_count = spec["parallelTrialCount"]
        made.spec.objective.objective_metric_name = spec["objective"]["objectiveMetricName"]
        made.spec.objective.type = api_pb2.MINIMIZE
        made.spec.algorithm.algorithm_name = spec["algorithm"]["algorithmName"]
        for parameter in spec["parameters"]:
            added = made.spec.parameter_specs.parameters.add(name=parameter["name"], parameter_type=api_pb2.CATEGORICAL)
            added.feasible_space.list.append("auto")
        for key, value in self.settings[name].items():
            made.spec.algorithm.algorithm_settings.add(name=key, value=value)
        for trial in trials:
            request.trials.append(self._told(trial))
        return request

    def _told(self, name: str) -> api_pb2.Trial:
        trial = self.trials[name]
        told = api_pb2.Trial(name=name)
        for item in trial["spec"]["parameterAssignments"]:
            told.spec.parameter_assignments.assignments.add(name=item["name"], value=item["value"])
        conditions = {"Running": Status.RUNNING, "Succeeded": Status.SUCCEEDED, "Failed": Status.FAILED}
        told.status.condition = conditions[_condition(trial)]
        for metric in trial["status"].get("observation", {}).get("metrics", []):
            told.status.observation.metrics.add(name=metric["name"], value=metric["latest"])
        return told

    def _count(self, experiment: dict[str, Any]) -> None:
        trials = self._of(experiment["metadata"]["name"])
        status = experiment["status"]
        status["trials"] = len(trials)
        status["runningTrialList"] = [trial for trial in trials if _condition(self.trials[trial]) == "Running"]
        for condition, key in ENDED.items():
            status[key] = [trial for trial in trials if _condition(self.trials[trial]) == condition]
        if len(trials) - len(status["runningTrialList"]) >= experiment["spec"]["maxTrialCount"]:
            status["conditions"].append(_holds("Succeeded"))
        elif status["conditions"][-1]["type"] == "Created":
            status["conditions"].append(_holds("Running"))


@contextmanager
def suggestion_service() -> Iterator[api_pb2_grpc.SuggestionStub]:
    """The real service, on a port of its own."""
    server, port = make_server("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield api_pb2_grpc.SuggestionStub(channel)
    finally:
        server.stop(None).wait()


def labelled(experiment: dict[str, Any]) -> str:
    """The label by which an experiment's pods are found."""
    return experiment["metadata"]["labels"][LABEL]


def _holds(kind: str) -> dict[str, Any]:
    return {"type": kind, "status": "True", "message": ""}


def _condition(trial: dict[str, Any]) -> str:
    return trial["status"]["conditions"][-1]["type"]
