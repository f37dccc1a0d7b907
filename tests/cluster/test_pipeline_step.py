"""The step `search_model` in a pod, as Kubeflow's launcher starts it: its trials on Katib, by the pod's own rights."""

import io
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from rich.console import Console

from tests.cluster.kubectl import run
from tests.cluster.searches import IMAGE, Workplace, wait_for
from tunesmith.local_pipeline import run_named
from tunesmith.pipeline_run.catalog import compile_named
from tunesmith.steps import Uris

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(900)]

# As Kubeflow Pipelines brings it; its keys lie in the Secret mlpipeline-minio-artifact.
STORE = "minio-service.kubeflow:9000"
ROOT = "minio://mlpipeline/v2/artifacts/tune"
RUNNER, ROLE = "step", "tunesmith-runner"
# What the launcher does before the step and after it: inputs come from the store, outputs go there.
PREPARE = """
import sys
from pathlib import Path
from tunesmith import storage
from tunesmith.steps import prepare_step
prepare_step(Path("/tmp/dataset"), {"data_uri": "digits"})
storage.upload(Path("/tmp/dataset"), sys.argv[1])
storage.download(sys.argv[1], Path("/" + sys.argv[1].replace("://", "/")))
"""
# What Argo's executor does with the step: its signals go to all of the step's processes, and when the first of these has ended,
# which it looks for once a second, all else in the container is killed.
EXECUTOR = """
import os, signal, subprocess, sys, time
step = subprocess.Popen(sys.argv[1:], start_new_session=True)
signal.signal(signal.SIGTERM, lambda *_: os.killpg(step.pid, signal.SIGTERM))
while step.poll() is None:
    time.sleep(1)
sys.exit(step.returncode)
"""
ARGUMENTS = {
    "search_space": {"kind": "layers", "convs": 0, "dense": [1, 1], "units": 16, "batch_size": 256},
    **{"strategy": "random", "trials": 4, "parallel_trials": 1, "epochs_per_trial": 1, "engine": "katib"},
    **{"gpus_per_trial": 1, "cpus_per_trial": 0.5},
}


@dataclass
class Step:
    """The step of one task of one run, in a namespace with the rights that the manifests give."""

    core: Any
    experiments: Any
    namespace: str
    task: str

    @property
    def uris(self) -> Uris:
        """Where the launcher puts the task's artifacts."""
        return Uris(f"{ROOT}/{self.task}/prepare/dataset", f"{ROOT}/{self.task}/search-model/study")

    def start(self, name: str, **arguments: Any) -> None:
        """Start the step's pod; a second one is what a retry of the task is."""
        self.core.create_namespaced_pod(self.namespace, _pod(name, self.uris, self._arguments(arguments)))

    def _arguments(self, changes: dict[str, Any]) -> dict[str, Any]:
        secrets = {"secrets": ["mlpipeline-minio-artifact"], "env": {"AWS_ENDPOINT_URL": f"http://{STORE}"}}
        return {**ARGUMENTS, "cluster": {"namespace": self.namespace, "image": IMAGE, **secrets}, **changes}

    def phase(self, name: str) -> str:
        return self.core.read_namespaced_pod(name, self.namespace).status.phase

    def log(self, name: str) -> str:
        return self.core.read_namespaced_pod_log(name, self.namespace, container="main")

    def succeed(self, name: str) -> str:
        """Wait for the pod's end; returns its log."""
        wait_for(f"the end of {name}", lambda: self.phase(name) in ("Succeeded", "Failed"), 600)
        assert self.phase(name) == "Succeeded", self.log(name)
        return self.log(name)

    def found(self) -> list[dict[str, Any]]:
        """Return the namespace's Experiments."""
        return self.experiments.list_namespaced_custom_object("kubeflow.org", "v1beta1", self.namespace, "experiments")["items"]

    def ended_trials(self) -> int:
        return sum(len(found.get("status", {}).get("succeededTrialList", [])) for found in self.found())


@pytest.fixture
def step(kube: client.ApiClient, installed: None, namespace: str, request: pytest.FixtureRequest) -> Step:
    core: Any = client.CoreV1Api(kube)
    secret = core.read_namespaced_secret("mlpipeline-minio-artifact", "kubeflow")
    core.create_namespaced_secret(namespace, {"metadata": {"name": "mlpipeline-minio-artifact"}, "data": secret.data})
    core.create_namespaced_service_account(namespace, {"metadata": {"name": RUNNER}})
    run("create", "rolebinding", RUNNER, "-n", namespace, f"--clusterrole={ROLE}", f"--serviceaccount={namespace}:{RUNNER}")
    return Step(core, client.CustomObjectsApi(kube), namespace, f"{request.node.name[:20]}-{time.time_ns():x}")


def _pod(name: str, uris: Uris, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the pod of an executor: an init container in the launcher's place, then the component's own command."""
    command, args = _component(uris, arguments)
    local = uris.dataset.replace("://", "/").split("/")[0]
    security = {
        **{"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True, "runAsUser": 65532},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    keys = {"AWS_ACCESS_KEY_ID": "accesskey", "AWS_SECRET_ACCESS_KEY": "secretkey"}
    given = [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": "mlpipeline-minio-artifact", "key": key}}}
        for variable, key in keys.items()
    ]
    common = {
        **{"image": IMAGE, "imagePullPolicy": "IfNotPresent", "securityContext": security},
        "env": [*given, {"name": "AWS_ENDPOINT_URL", "value": f"http://{STORE}"}],
        "volumeMounts": [{"name": "artifacts", "mountPath": f"/{local}"}],
    }
    prepare = {**common, "name": "launcher", "command": ["python3", "-c", PREPARE, uris.dataset]}
    main = {**common, "name": "main", "command": ["python3", "-c", EXECUTOR, *command], "args": args}
    spec = {
        **{"restartPolicy": "Never", "serviceAccountName": RUNNER, "terminationGracePeriodSeconds": 30},
        **{"initContainers": [prepare], "containers": [main], "volumes": [{"name": "artifacts", "emptyDir": {}}]},
    }
    return {"metadata": {"name": name}, "spec": spec}


def _component(uris: Uris, arguments: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the compiled component's command and arguments, filled in as the launcher fills them."""
    path = compile_named("tune", Path(os.environ.get("TMPDIR", "/tmp")) / f"step-{os.getpid()}.yaml")
    try:
        pipeline = next(yaml.safe_load_all(path.read_text()))
    finally:
        path.unlink()
    container = pipeline["deploymentSpec"]["executors"]["exec-search-model"]["container"]
    component = pipeline["components"]["comp-search-model"]
    folder = uris.study.rpartition("/")[0]
    outputs = {
        name: {"artifacts": [{"name": name, "uri": f"{folder}/{name}", "type": made["artifactType"], "metadata": {}}]}
        for name, made in component["outputDefinitions"]["artifacts"].items()
    }
    dataset = {"name": "1", "uri": uris.dataset, "type": {"schemaTitle": "system.Dataset"}, "metadata": {}}
    defaults = {
        name: given["defaultValue"]
        for name, given in component["inputDefinitions"]["parameters"].items()
        if "defaultValue" in given
    }
    told = {
        "inputs": {"parameterValues": defaults | arguments, "artifacts": {"dataset": {"artifacts": [dataset]}}},
        "outputs": {"artifacts": outputs, "outputFile": "/tmp/kfp/output_metadata.json"},
    }
    return container["command"], [json.dumps(told) if text == "{{$}}" else text for text in container["args"]]


def test_its_trials_run_on_katib_and_leave_everything_beside_the_study(step: Step) -> None:
    step.start("first")
    log = step.succeed("first")
    (experiment,) = step.found()
    place = step.uris.place
    assert place
    assert experiment["metadata"]["labels"]["tunesmith.io/study"] == place.study_id
    assert "search 4/4  best val_accuracy" in log
    figures = json.loads(log.partition("tunesmith-figures: ")[2].splitlines()[0])
    assert figures["figures"]["trials"] == 4
    outcomes = look(step, f"print(*storage.names('{step.uris.study}/trials'))")
    assert outcomes.split() == ["0", "1", "2", "3"]


@pytest.mark.parametrize("how", ["its node was drained", "it was killed"])
def test_a_retry_finds_the_experiment_that_the_pod_had_started(step: Step, how: str) -> None:
    step.start("first")
    wait_for("the first trial", lambda: step.ended_trials() >= 1, 300)
    if how == "its node was drained":
        step.core.create_namespaced_pod_eviction("first", step.namespace, {"metadata": {"name": "first"}})
    else:
        run("exec", "-n", step.namespace, "first", "--", "sh", "-c", "kill -9 -1")
    step.start("second")
    log = step.succeed("second")
    assert len(step.found()) == 1
    assert "started the Experiment" not in log
    assert "search 4/4" in log
    assert step.ended_trials() == 4


def test_a_run_that_is_terminated_takes_its_experiment_with_it(step: Step) -> None:
    step.start("first", trials=40)
    wait_for("the experiment", step.found, 300)
    step.core.delete_namespaced_pod("first", step.namespace)
    wait_for("the experiment to go", lambda: not step.found(), 60)


@pytest.fixture
def reachable(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig)


def run_here(pipeline: str, workplace: Workplace, **changes: Any) -> dict[str, Any]:
    """Run a pipeline on this machine with its trials on the cluster; returns the summary."""
    volume = str(workplace.volume)
    cluster = {"namespace": workplace.namespace, "image": IMAGE, "storage": volume}
    cluster["volumes"] = [{"claim": "studies", "path": volume}]
    given = {**ARGUMENTS, "cluster": cluster, "export_formats": ["saved_model"], **changes}
    texts = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in given.items()]
    return run_named(pipeline, texts, workplace.folder / "runs", Console(file=io.StringIO()))


def trials_of(workplace: Workplace) -> list[list[str]]:
    """Return the trials that left their outcomes in the volume, study by study, those with the fewest first."""
    studies = [sorted(path.name for path in study.glob("trials/*")) for study in workplace.volume.iterdir()]
    return sorted(studies, key=len)


@pytest.mark.usefixtures("reachable")
def test_a_run_on_this_machine_searches_on_the_cluster_all_the_same(workplace: Workplace) -> None:
    summary = run_here("tune", workplace, trials=2)
    assert trials_of(workplace) == [["0", "1"]]
    assert (summary["status"], summary["trials"]) == ("succeeded", 2)


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize("strategy", ["evolution", "pnas"])
def test_an_architecture_is_found_and_its_training_tuned_on_the_cluster(workplace: Workplace, strategy: str) -> None:
    space = {"kind": "cells_pnas", "blocks": 2, "stages": 1, "cells": 1, "filters": 8}
    sizes = {"search_space": space, "search_size": {"filters": 4}, "parallel_trials": 2, "final_epochs": 1}
    summary = run_here("design", workplace, **sizes, strategy=strategy, tune_trials=2)
    assert trials_of(workplace) == [["0", "1"], ["0", "1", "2", "3"]]
    assert (summary["status"], summary["trials"]) == ("succeeded", 4)
    assert summary["test_accuracy"] > 0
    reports = [report.read_text() for report in workplace.folder.glob("runs/**/report") if report.is_file()]
    assert any("normal cell" in report for report in reports)


def look(step: Step, code: str) -> str:
    """Return what a program prints that looks into the store from a pod."""
    name = f"look-{time.time_ns():x}"
    pod = _pod(name, step.uris, step._arguments({}))
    pod["spec"]["containers"][0].update(command=["python3", "-c", f"from tunesmith import storage\n{code}"], args=[])
    pod["spec"].pop("initContainers")
    step.core.create_namespaced_pod(step.namespace, pod)
    return step.succeed(name)
