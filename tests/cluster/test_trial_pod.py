"""`tunesmith trial` in a pod as the engine makes it: restricted, its root read-only, with real S3 and Katib's database."""

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import fsspec
import pytest
from kubernetes import client

from tests.cluster.forwarding import forwarded
from tests.cluster.kubectl import attempt
from tests.cluster.searches import IMAGE, wait_for
from tunesmith import storage
from tunesmith.code import load_function, source_hash
from tunesmith.evaluation._context import CHECKPOINT
from tunesmith.katib.candidate import encode
from tunesmith.katib.experiment import build_experiment
from tunesmith.katib.observations import ATTEMPT, Observations
from tunesmith.katib.outline import Outline
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.spec import parse_spec
from tunesmith.study import Objective

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

CODE = """
import time
def loss(candidate, context):
    if candidate["x"] > 0.5:
        raise ValueError("x is too large")
    for step in range(1, 4):
        context.report(step, {"loss": 1 - 0.1 * step})
        time.sleep(candidate["pause"])
    (context.folder / "model.keras").write_text("a model")
    return 0.7
"""
SPEC = {
    "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}, "pause": {"uniform": [0, 60]}}},
    "strategy": {"name": "random"},
    "evaluation": {"kind": "function", "function": "objective.py:loss"},
}
SECRET = "mlpipeline-minio-artifact"


@pytest.fixture(scope="module")
def manager(kubeconfig: str) -> Iterator[Observations]:
    """Katib's database manager."""
    with forwarded("kubeflow", "katib-db-manager", 6789) as address:
        observations = Observations(address, patience=30)
        yield observations
        observations.close()


@dataclass
class Bench:
    """A namespace with the store's credentials, and a study in a bucket of the cluster's MinIO."""

    core: client.CoreV1Api
    batch: client.BatchV1Api
    namespace: str
    study: str

    def start(self, number: int, **candidate: float) -> str:
        """Start the Job that the engine's Experiment would start for a candidate; returns the trial's name."""
        name = f"study-{number:04d}-{secrets.token_hex(4)}"
        content = parse_spec(SPEC).to_json()
        content["evaluation"]["sha256"] = self.sha256
        outline = Outline(
            *("study", self.namespace, "study", content, Objective("loss"), 1, 1, IMAGE),
            study=self.study,
            code=storage.join(self.study, "code"),
        )
        settings = ClusterSpec.model_validate({"secrets": [SECRET]})
        template = build_experiment(outline, settings, ResourcesSpec(cpu=0.5))["spec"]["trialTemplate"]["trialSpec"]
        told = {"${trialParameters.trial}": name, "${trialParameters.candidate}": encode(candidate)}
        text = json.dumps(template)
        for placeholder, value in told.items():
            text = text.replace(placeholder, value)
        self.batch.create_namespaced_job(self.namespace, {**json.loads(text), "metadata": {"name": name}})
        return name

    @property
    def sha256(self) -> str:
        return storage.read_text(storage.join(self.study, "sha256"))

    def pods(self, name: str) -> list[Any]:
        """The pods of a trial, all attempts."""
        return self.core.list_namespaced_pod(self.namespace, label_selector=f"job-name={name}").items

    def end(self, name: str) -> Any:
        """Wait for a trial's end; returns how its container ended."""

        def ended() -> Any:
            return [pod for pod in self.pods(name) if pod.status.phase in ("Succeeded", "Failed")]

        pods = wait_for(f"the end of {name}", ended)
        (container,) = pods[0].status.container_statuses
        return container.state.terminated

    def outcome(self, number: int) -> dict[str, Any]:
        """What a trial left at the store."""
        return json.loads(storage.read_text(storage.join(self.study, "trials", str(number), "outcome.json")))


@pytest.fixture
def bench(
    kube: client.ApiClient, namespace: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    if attempt("get", "service", "-n", "kubeflow", "minio-service").returncode:
        pytest.skip("the cluster has no minio-service in the namespace kubeflow")
    core = client.CoreV1Api(kube)
    kept = core.read_namespaced_secret(SECRET, "kubeflow")
    core.create_namespaced_secret(namespace, {"metadata": {"name": SECRET}, "data": kept.data})
    with forwarded("kubeflow", "minio-service", 9000) as address:
        keys = {name: base64.b64decode(kept.data[name]).decode() for name in ("accesskey", "secretkey")}
        for name, value in {**keys, "AWS_ENDPOINT_URL": f"http://{address}"}.items():
            monkeypatch.setenv(name, value)
        files = fsspec.filesystem("s3", endpoint_url=f"http://{address}", key=keys["accesskey"], secret=keys["secretkey"])
        files.mkdir(namespace)
        try:
            made = Bench(core, client.BatchV1Api(kube), namespace, f"minio://{namespace}/study")
            source = tmp_path_factory.mktemp("code") / "objective.py"
            source.write_text(CODE)
            storage.upload(source, storage.join(made.study, "code", "objective.py"))
            sha256 = source_hash(load_function("objective.py:loss", "test", source.parent))
            storage.write_text(storage.join(made.study, "sha256"), sha256)
            yield made
        finally:
            files.rm(namespace, recursive=True)


def test_a_trial_finishes_and_leaves_all_at_the_store_and_in_katibs_database(bench: Bench, manager: Observations) -> None:
    name = bench.start(3, x=0.25, pause=0)
    assert bench.end(name).exit_code == 0
    outcome = bench.outcome(3)
    assert (outcome["state"], outcome["metrics"], outcome["attempts"]) == ("finished", {"loss": 0.7}, 1)
    assert storage.names(storage.join(bench.study, "trials", "3")) == [
        *("attempts", "candidate.json", "log", CHECKPOINT, "outcome.json"),
    ]
    assert manager.curve(name, "loss") == pytest.approx([0.9, 0.8, 0.7])
    assert manager.last_time(name) is not None


def test_a_bad_candidate_tells_kubernetes_why(bench: Bench) -> None:
    ended = bench.end(bench.start(0, x=0.75, pause=0))
    assert (ended.exit_code, ended.message) == (3, "ValueError: x is too large (objective.py:5)")
    assert bench.outcome(0)["reason"] == ended.message


def test_an_evicted_trial_begins_anew_and_counts_its_attempts(bench: Bench, manager: Observations) -> None:
    name = bench.start(1, x=0.25, pause=4)
    wait_for("a step", lambda: manager.curve(name, "loss"))
    (pod,) = bench.pods(name)
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod.metadata.name, namespace=bench.namespace))
    bench.core.create_namespaced_pod_eviction(pod.metadata.name, bench.namespace, eviction)
    wait_for("the outcome", lambda: storage.exists(storage.join(bench.study, "trials", "1", "outcome.json")))
    assert bench.outcome(1)["attempts"] == 2
    assert bench.end(name).exit_code == 0
    assert manager.curve(name, "loss") == pytest.approx([0.9, 0.8, 0.7])


def test_katibs_database_keeps_what_ours_in_the_tests_keeps(manager: Observations) -> None:
    trial = f"study-0000-{secrets.token_hex(4)}"
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert manager.last_time(trial) is None
    assert manager.curve(trial, "loss") == []
    for i, (value, number) in enumerate([(9.0, 1), (1 / 3, 2), (0.25, 2)]):
        manager.report(trial, at + i * timedelta(microseconds=1), {"loss": value, "other": float("nan")}, number)
    manager.report(trial, at + timedelta(seconds=1), {"loss": 0.25})
    assert manager.curve(trial, "loss") == [1 / 3, 0.25]
    assert manager.curve(trial, ATTEMPT) == [2.0, 2.0]
    assert manager.last_time(trial) == at + timedelta(seconds=1)
