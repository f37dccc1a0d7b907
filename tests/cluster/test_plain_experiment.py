"""Plain Katib experiments: what ran with Katib's random algorithm runs with a strategy of ours, by changing the name alone."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from tests.cluster.searches import IMAGE, wait_for
from tests.cluster.workplaces import RESTRICTED
from tunesmith.katib.candidate import issue_number

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

PLACE = ("kubeflow.org", "v1beta1")
TRIAL = """
import datetime, os, time
from tunesmith.katib.observations import Observations
x, n, kind = float(os.environ["X"]), int(os.environ["N"]), os.environ["KIND"]
time.sleep(float(os.environ["SECONDS"]))
loss = (x - 0.3) ** 2 + abs(n - 4) + (kind != "b")
now = datetime.datetime.now(datetime.timezone.utc)
Observations("katib-db-manager.kubeflow:6789").report(os.environ["KATIB_TRIAL_NAME"], now, {"loss": loss})
"""
PARAMETERS = [
    {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0.0", "max": "1.0"}},
    {"name": "n", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}},
    {"name": "kind", "parameterType": "categorical", "feasibleSpace": {"list": ["a", "b", "c"]}},
]


def plain(algorithm: str, name: str, trials: int, parallel: int, seconds: float = 0.0) -> dict[str, Any]:
    """An experiment that knows nothing of Tunesmith's but its algorithm's name and the image of its trials."""
    told = {
        "X": "${trialParameters.x}",
        "N": "${trialParameters.n}",
        "KIND": "${trialParameters.kind}",
        "SECONDS": str(seconds),
    }
    container = {
        **{"name": "main", "image": IMAGE, "command": ["python3", "-c", TRIAL], "securityContext": RESTRICTED},
        "env": [{"name": key, "value": value} for key, value in told.items()],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
    }
    return {
        **{"apiVersion": "/".join(PLACE), "kind": "Experiment", "metadata": {"name": name}},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm, "algorithmSettings": [{"name": "random_state", "value": "10"}]},
            "metricsCollectorSpec": {"collector": {"kind": "Push"}},
            **{"parallelTrialCount": parallel, "maxTrialCount": trials, "maxFailedTrialCount": 1},
            "parameters": PARAMETERS,
            "trialTemplate": {
                "primaryContainerName": "main",
                "trialParameters": [{"name": item["name"], "reference": item["name"]} for item in PARAMETERS],
                "trialSpec": {
                    **{"apiVersion": "batch/v1", "kind": "Job"},
                    "spec": {"backoffLimit": 0, "template": {"spec": {"containers": [container], "restartPolicy": "Never"}}},
                },
            },
        },
    }


class Runs:
    """Experiments on the cluster."""

    def __init__(self, kube: client.ApiClient) -> None:
        self.objects, self.core = client.CustomObjectsApi(kube), client.CoreV1Api(kube)

    def start(self, namespace: str, experiment: dict[str, Any]) -> None:
        """Create an experiment."""
        self.objects.create_namespaced_custom_object(*PLACE, namespace, "experiments", experiment)

    def read(self, namespace: str, name: str, kind: str = "experiments") -> dict[str, Any]:
        """Return an experiment, or its suggestion."""
        return self.objects.get_namespaced_custom_object(*PLACE, namespace, kind, name)  # type: ignore[return-value]

    def ended(self, namespace: str, name: str) -> int:
        """Return how many trials have succeeded."""
        return self.read(namespace, name).get("status", {}).get("trialsSucceeded", 0)

    def succeed(self, namespace: str, name: str) -> None:
        """Wait for an experiment's end, which must be a good one."""

        def condition() -> str:
            conditions = self.read(namespace, name).get("status", {}).get("conditions", [])
            holding = [item["type"] for item in conditions if item["status"] == "True"]
            return holding[-1] if holding and holding[-1] in ("Succeeded", "Failed") else ""

        wait_for(f"the end of {name}", condition, 300)
        assert condition() == "Succeeded", self.read(namespace, name)["status"]

    def proposals(self, namespace: str, name: str) -> dict[str, dict[str, str]]:
        """Return the parameters of all proposals by trial, in order."""
        suggestions = self.read(namespace, name, "suggestions")["status"]["suggestions"]
        return {item["name"]: {a["name"]: a["value"] for a in item["parameterAssignments"]} for item in suggestions}


@pytest.fixture
def runs(kube: client.ApiClient) -> Runs:
    return Runs(kube)


@pytest.fixture
def second(kube: client.ApiClient, namespace: str) -> Iterator[str]:
    """A second namespace like the first."""
    core = client.CoreV1Api(kube)
    labels = dict(core.read_namespace(namespace).metadata.labels)
    labels.pop("kubernetes.io/metadata.name")
    name = f"{namespace}-b"
    core.create_namespace({"metadata": {"name": name, "labels": labels}})
    yield name
    core.delete_namespace(name)


def check(proposals: dict[str, dict[str, str]], trials: int) -> None:
    """Check that all values are what the user allows, in the form that a program reads."""
    assert len(proposals) == trials
    for assigned in proposals.values():
        assert sorted(assigned) == ["kind", "n", "x"]
        assert 0 <= float(assigned["x"]) <= 1
        assert assigned["n"] in set("123456789")
        assert assigned["kind"] in set("abc")


def test_an_experiment_of_katibs_own_runs_with_ours_by_changing_its_algorithms_name(runs: Runs, namespace: str) -> None:
    theirs = plain("random", "sweep-random", trials=4, parallel=2)
    ours = copy.deepcopy(theirs)
    ours["metadata"]["name"], ours["spec"]["algorithm"]["algorithmName"] = "sweep-tpe", "tunesmith-tpe"
    for experiment in (theirs, ours):
        runs.start(namespace, experiment)
    for name in ("sweep-random", "sweep-tpe"):
        runs.succeed(namespace, name)
        check(runs.proposals(namespace, name), 4)
        best = runs.read(namespace, name)["status"]["currentOptimalTrial"]
        assert best["observation"]["metrics"][0]["name"] == "loss"


@pytest.mark.slow
def test_a_deleted_suggestion_pod_loses_nothing_and_repeats_nothing(runs: Runs, namespace: str) -> None:
    runs.start(namespace, plain("tunesmith-tpe", "killed", trials=10, parallel=2, seconds=1))
    for ended in (2, 5):
        wait_for(f"{ended} trials", lambda ended=ended: runs.ended(namespace, "killed") >= ended, 120)
        for pod in runs.core.list_namespaced_pod(namespace, label_selector="katib.kubeflow.org/suggestion=killed").items:
            runs.core.delete_namespaced_pod(pod.metadata.name, namespace, grace_period_seconds=0)
    runs.succeed(namespace, "killed")
    proposals = runs.proposals(namespace, "killed")
    check(proposals, 10)
    assert len({json.dumps(assigned, sort_keys=True) for assigned in proposals.values()}) == 10
    assert [issue_number(name) for name in proposals] == list(range(10))


@pytest.mark.slow
def test_a_finished_experiment_goes_on_when_more_trials_are_allowed(runs: Runs, namespace: str) -> None:
    experiment = plain("tunesmith-tpe", "longer", trials=3, parallel=2)
    experiment["spec"]["resumePolicy"] = "LongRunning"
    runs.start(namespace, experiment)
    runs.succeed(namespace, "longer")
    before = runs.proposals(namespace, "longer")
    change = {"spec": {"maxTrialCount": 6}}
    runs.objects.patch_namespaced_custom_object(*PLACE, namespace, "experiments", "longer", change)
    wait_for("six trials", lambda: runs.ended(namespace, "longer") == 6)
    after = runs.proposals(namespace, "longer")
    check(after, 6)
    assert list(after)[:3] == list(before)
    assert [issue_number(name) for name in after] == list(range(6))
    assert len({json.dumps(assigned, sort_keys=True) for assigned in after.values()}) == 6


@pytest.mark.slow
def test_two_experiments_of_one_name_in_two_namespaces_do_not_mix(runs: Runs, namespace: str, second: str) -> None:
    """Both see their own trials alone: so both are proposed the same, one after the other, under different names."""
    places = (namespace, second)
    experiment = plain("tunesmith-tpe", "twin", trials=6, parallel=1)
    experiment["spec"]["algorithm"]["algorithmSettings"].append({"name": "startup", "value": "2"})
    for place in places:
        runs.start(place, copy.deepcopy(experiment))
    for place in places:
        runs.succeed(place, "twin")
    one, other = (runs.proposals(place, "twin") for place in places)
    check(one, 6)
    assert list(one.values()) == list(other.values())
    assert not set(one) & set(other)
    assert [issue_number(name) for name in one] == [issue_number(name) for name in other] == list(range(6))


def test_an_experiment_that_cannot_be_searched_fails_with_words_on_its_suggestion(runs: Runs, namespace: str) -> None:
    experiment = plain("tunesmith-tpe", "wrong", trials=4, parallel=2)
    experiment["spec"]["algorithm"]["algorithmSettings"].append({"name": "acq_func", "value": "EI"})
    runs.start(namespace, experiment)

    def words() -> str:
        conditions = runs.read(namespace, "wrong", "suggestions").get("status", {}).get("conditions", [])
        return next((item["message"] for item in conditions if item["type"] == "Failed"), "")

    wait_for("the suggestion", lambda: "Created" in str(runs.read(namespace, "wrong").get("status", "")), 60)
    wait_for("its words", words, 60)
    assert "algorithmSettings.acq_func: unknown key; allowed: seed, startup, gamma, draws" in words()
