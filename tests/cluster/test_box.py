"""What the other cluster tests build on: a node with GPUs, names that resolve, and Katib."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client

from tests.cluster.box.images import BASE_IMAGE

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
FROM_A_POD = """
import os, socket, ssl, urllib.request
print(socket.gethostbyname("kubernetes.default.svc.cluster.local"), flush=True)
print(socket.create_connection(("katib-db-manager.kubeflow", 6789), 10).getpeername()[1], flush=True)
account = "/var/run/secrets/kubernetes.io/serviceaccount"
request = urllib.request.Request(
    "https://kubernetes.default/api", headers={"Authorization": "Bearer " + open(f"{account}/token").read()}
)
print(urllib.request.urlopen(request, context=ssl.create_default_context(cafile=f"{account}/ca.crt")).status)
"""


def test_the_node_is_ready_and_has_four_gpus(kube: client.ApiClient) -> None:
    core: Any = client.CoreV1Api(kube)
    (node,) = core.list_node().items
    assert {condition.type: condition.status for condition in node.status.conditions}["Ready"] == "True"
    assert node.status.allocatable["nvidia.com/gpu"] == "4"


def test_a_pod_finds_services_and_the_api_by_name(kube: client.ApiClient, namespace: str) -> None:
    core: Any = client.CoreV1Api(kube)
    start_pod(core, namespace, "visitor", ["python3", "-c", FROM_A_POD])
    wait_until(lambda: phases(core, namespace) == ["Succeeded"], lambda: core.read_namespaced_pod_log("visitor", namespace))
    address = core.read_namespaced_service("kubernetes", "default").spec.cluster_ip
    assert core.read_namespaced_pod_log("visitor", namespace).split() == [address, "6789", "200"]


def test_of_six_pods_with_a_gpu_each_four_run_and_two_wait(kube: client.ApiClient, namespace: str) -> None:
    core: Any = client.CoreV1Api(kube)
    for index in range(6):
        start_pod(core, namespace, f"gpu-{index}", ["sleep", "600"], gpus=1)
    wait_until(lambda: phases(core, namespace) == ["Pending"] * 2 + ["Running"] * 4, lambda: str(phases(core, namespace)))
    waiting = [pod for pod in core.list_namespaced_pod(namespace).items if pod.status.phase == "Pending"]
    assert all("Insufficient nvidia.com/gpu" in pod.status.conditions[0].message for pod in waiting)


def test_katib_runs_a_random_search_of_four_trials(kube: client.ApiClient, open_namespace: str) -> None:
    api: Any = client.CustomObjectsApi(kube)
    place = ("kubeflow.org", "v1beta1", open_namespace, "experiments")
    api.create_namespaced_custom_object(*place, random_search())

    def status() -> dict[str, Any]:
        return api.get_namespaced_custom_object(*place, "random").get("status", {})

    wait_until(lambda: status().get("completionTime") is not None, lambda: str(status()), seconds=180)
    assert status()["conditions"][-1]["reason"] == "ExperimentMaxTrialsReached"
    assert status()["trialsSucceeded"] == 4
    (metric,) = status()["currentOptimalTrial"]["observation"]["metrics"]
    assert metric["max"] == "0.9"


def random_search() -> dict[str, Any]:
    """Four trials at once of a few seconds each, with a GPU each: a shorter one ends before Katib's collector has found it."""
    container = {
        "name": "trial",
        "image": BASE_IMAGE,
        "command": ["sh", "-c", "sleep 4; echo gpu=$SIMULATED_GPU_IDS x=${trialParameters.x}; echo accuracy=0.9"],
        "resources": {"limits": {"nvidia.com/gpu": 1}},
    }
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}, "backoffLimit": 0}
    spec = {
        "objective": {"type": "maximize", "objectiveMetricName": "accuracy"},
        "metricsCollectorSpec": {"collector": {"kind": "StdOut"}},
        "algorithm": {"algorithmName": "random"},
        "parallelTrialCount": 4,
        "maxTrialCount": 4,
        "maxFailedTrialCount": 0,
        "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}],
        "trialTemplate": {
            "primaryContainerName": "trial",
            "trialParameters": [{"name": "x", "reference": "x"}],
            "trialSpec": {"apiVersion": "batch/v1", "kind": "Job", "spec": job},
        },
    }
    return {"apiVersion": "kubeflow.org/v1beta1", "kind": "Experiment", "metadata": {"name": "random"}, "spec": spec}


def start_pod(core: Any, namespace: str, name: str, command: list[str], gpus: int = 0) -> None:
    container = {"name": "main", "image": BASE_IMAGE, "command": command, "securityContext": RESTRICTED}
    if gpus:
        container["resources"] = {"limits": {"nvidia.com/gpu": gpus}}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    core.create_namespaced_pod(namespace, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def phases(core: Any, namespace: str) -> list[str]:
    return sorted(pod.status.phase for pod in core.list_namespaced_pod(namespace).items)


def wait_until(is_true: Callable[[], bool], what_is: Callable[[], str], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, what_is()
        time.sleep(0.25)
