"""The overlay `gpu` on a real cluster: a quota that trials wait for, and a priority that lets others go first."""

import json
from typing import Any

import pytest

from tests.cluster.kubectl import read, run
from tests.cluster.searches import IMAGE, wait_for
from tests.cluster.workplaces import RESTRICTED
from tests.manifests.builds import objects
from tunesmith.katib.job import trial_job
from tunesmith.katib.outline import Outline
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.study import Objective

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

GPU = "nvidia.com/gpu"


def overlay(kind: str) -> dict[str, Any]:
    return next(found for found in objects("gpu") if found["kind"] == kind)


def trial(name: str, namespace: str, seconds: int, **cluster: Any) -> str:
    """Return a trial's Job as the engine makes it, but for its work."""
    outline = Outline(name, namespace, "study", {}, Objective("loss"), 1, 1, IMAGE, "s3://b/s")
    job = trial_job(outline, ClusterSpec(**cluster), ResourcesSpec(gpu=1, cpu=0.01, memory=2**20), [])
    container = job["spec"]["template"]["spec"]["containers"][0]
    container.update(command=["sleep", str(seconds)], resources=resources(1))
    return json.dumps({**job, "metadata": {"name": name, "namespace": namespace}})


def resources(gpus: int) -> dict[str, dict[str, str]]:
    asked = {"cpu": "10m", "memory": "32Mi", GPU: str(gpus)}
    return {"requests": asked, "limits": asked}


def succeeded(namespace: str) -> set[str]:
    jobs = read("jobs", "-n", namespace)["items"]
    assert not [job for job in jobs if job["status"].get("failed")]
    return {job["metadata"]["name"] for job in jobs if job["status"].get("succeeded")}


def test_trials_beyond_the_quota_wait_for_their_turn(namespace: str) -> None:
    quota = overlay("ResourceQuota")
    quota["metadata"]["namespace"] = namespace
    quota["spec"]["hard"][f"requests.{GPU}"] = "1"
    run("create", "--filename=-", text=json.dumps(quota))
    for name in ("one", "two"):
        run("create", "--filename=-", text=trial(name, namespace, 3))
    wait_for("both trials", lambda: succeeded(namespace) == {"one", "two"}, 180)
    events = read("events", "-n", namespace)["items"]
    assert any("exceeded quota: tunesmith-gpus" in event["message"] for event in events)


def test_whoever_needs_a_gpu_more_gets_it_and_no_trial_is_lost(namespace: str) -> None:
    """With more trials than there are GPUs none is free, so that the urgent pod can only take a trial's."""
    priority = overlay("PriorityClass")
    priority["metadata"]["name"] = f"trials-{namespace}"
    run("create", "--filename=-", text=json.dumps(priority))
    names = {f"trial-{i}" for i in range(all_gpus() + 1)}
    try:
        for name in names:
            run("create", "--filename=-", text=trial(name, namespace, 15, priority_class=priority["metadata"]["name"]))
        wait_for("some trial", lambda: "Running" in phases(namespace, "app.kubernetes.io/component=trial"), 180)
        run("create", "--filename=-", text=json.dumps(urgent(namespace)))
        wait_for("the urgent pod", lambda: phases(namespace, "app=urgent") == ["Succeeded"], 180)
        wait_for("all trials", lambda: succeeded(namespace) == names, 240)
        assert "Preempted" in [event["reason"] for event in read("events", "-n", namespace)["items"]]
    finally:
        run("delete", "priorityclass", priority["metadata"]["name"])


def phases(namespace: str, selector: str) -> list[str]:
    return [pod["status"]["phase"] for pod in read("pods", "-n", namespace, "-l", selector)["items"]]


def all_gpus() -> int:
    return sum(int(node["status"]["allocatable"].get(GPU, 0)) for node in read("nodes")["items"])


def urgent(namespace: str) -> dict[str, Any]:
    container = {
        "name": "c",
        "image": IMAGE,
        "command": ["sleep", "1"],
        "securityContext": RESTRICTED,
        "resources": resources(1),
    }
    metadata = {"name": "urgent", "namespace": namespace, "labels": {"app": "urgent"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
