"""Installs Katib and an S3 server into the running cluster, and waits until an experiment would be accepted."""

import os
from pathlib import Path

from tests.cluster.box.commands import kubectl, kubectl_succeeds, wait_for
from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import CRDS, MANIFESTS, STATE
from tests.cluster.box.templates import fill

_DEPLOYMENTS = ("katib-mysql", "katib-db-manager", "katib-controller", "minio")
_OWNERS = {"mariadb": 999, "minio": 1000}
"""Folder of the state to the user id whose pod writes there."""


def install() -> None:
    """Apply all manifests; a KatibConfig that is there stays, since others merge their entries into it."""
    for name, owner in _OWNERS.items():
        folder = STATE / name
        folder.mkdir(exist_ok=True)
        os.chown(folder, owner, owner)
    bucket = STATE / "minio" / "mlpipeline"
    bucket.mkdir(exist_ok=True)
    os.chown(bucket, _OWNERS["minio"], _OWNERS["minio"])
    kubectl("apply", "--server-side", *(f"--filename={path}" for path in CRDS.glob("*.yaml")))
    katib = MANIFESTS / "katib"
    _apply(katib / "namespace.yaml")
    if not kubectl_succeeds("--namespace=kubeflow", "get", "configmap", "katib-config"):
        _apply(katib / "config.yaml")
    _apply(katib / "database.yaml", katib / "db-manager.yaml", katib / "controller.yaml", katib / "webhooks.yaml")
    _apply(MANIFESTS / "minio.yaml")


def wait() -> None:
    """Wait until every part runs and Katib's webhooks answer."""
    for name in _DEPLOYMENTS:
        wait_for(f"{name} is available", lambda name=name: _is_available(name), 180, lambda name=name: _why_not(name))
    wait_for("Katib's webhooks answer", _do_webhooks_answer, 90)


def _apply(*manifests: Path) -> None:
    kubectl(
        "apply", "--server-side", "--force-conflicts", "--filename=-", stdin="\n---\n".join(fill(path) for path in manifests)
    )


def _is_available(name: str) -> bool:
    path = "jsonpath={.status.observedGeneration}/{.metadata.generation} {.status.availableReplicas}/{.status.updatedReplicas}"
    answer = kubectl("--namespace=kubeflow", "get", "deployment", name, f"--output={path}")
    seen, _, pods = answer.partition(" ")
    return len(set(seen.split("/"))) == 1 and pods == "1/1"


def _why_not(name: str) -> str:
    pods = kubectl("--namespace=kubeflow", "get", "pods", "--output=wide")
    events = kubectl("--namespace=kubeflow", "get", "events", "--sort-by=.lastTimestamp").splitlines()[-10:]
    return "\n".join([f"Pods while waiting for {name}:", pods, *events])


def _do_webhooks_answer() -> bool:
    """Whether Katib itself refuses the probe, which tells that its certificate is in place."""
    try:
        kubectl("create", "--dry-run=server", "--filename", MANIFESTS / "katib" / "probe.yaml")
    except BoxError as error:
        return 'katib.kubeflow.org" denied the request' in str(error)
    return True
