"""Makes the workplaces of the engine's tests: a namespace each, with a volume that this machine shares with the pods."""

import base64
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from tests.cluster.searches import IMAGE, Workplace, wait_for

# Pods without a right to it must write there; the root file system of both is that of the machine.
VOLUMES = Path("/var/tmp")
RESTRICTED = {
    **{"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True, "runAsUser": 65532},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@contextmanager
def make_workplace(kube: client.ApiClient, kubeconfig: str, namespace: str, folder: Path) -> Iterator[Workplace]:
    """Yield a workplace in a namespace; its volume is a folder of this machine, so the cluster must run here."""
    core = client.CoreV1Api(kube)
    volume = Path(tempfile.mkdtemp(prefix="tunesmith-studies-", dir=VOLUMES))
    volume.chmod(0o777)
    size = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": ""}
    core.create_persistent_volume({"metadata": {"name": namespace}, "spec": {**size, "hostPath": {"path": str(volume)}}})
    claim = {**{key: size[key] for key in ("accessModes", "storageClassName")}, "resources": {"requests": size["capacity"]}}
    core.create_namespaced_persistent_volume_claim(
        namespace, {"metadata": {"name": "studies"}, "spec": {**claim, "volumeName": namespace}}
    )
    claims = core.read_namespaced_persistent_volume_claim
    wait_for("the volume", lambda: claims("studies", namespace).status.phase == "Bound")
    try:
        yield Workplace(namespace, kubeconfig, volume, folder)
    finally:
        with contextlib.suppress(client.ApiException):
            core.delete_persistent_volume(namespace)
        shutil.rmtree(volume, ignore_errors=True)


@contextmanager
def held_gpus(kube: client.ApiClient, namespace: str, count: int) -> Iterator[Callable[[], None]]:
    """Hold GPUs with a pod of one's own; yields what lets them go."""
    core = client.CoreV1Api(kube)
    asked = {"nvidia.com/gpu": str(count), "cpu": "10m", "memory": "32Mi"}
    container = {
        **{"name": "holder", "image": IMAGE, "command": ["sleep", "600"], "securityContext": RESTRICTED},
        "resources": {"requests": asked, "limits": asked},
    }
    core.create_namespaced_pod(
        namespace, {"metadata": {"name": "holder"}, "spec": {"containers": [container], "restartPolicy": "Never"}}
    )
    wait_for("the GPUs", lambda: core.read_namespaced_pod("holder", namespace).status.phase == "Running")

    def release() -> None:
        with contextlib.suppress(client.ApiException):
            core.delete_namespaced_pod("holder", namespace, grace_period_seconds=0)

    try:
        yield release
    finally:
        release()


def weak_account(kube: client.ApiClient, kubeconfig: str, namespace: str, folder: Path) -> str:
    """Return a kubeconfig of an account without any right in the namespace."""
    core = client.CoreV1Api(kube)
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "weak"}})
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600))
    token = core.create_namespaced_service_account_token("weak", namespace, request).status.token
    content: dict[str, Any] = yaml.safe_load(Path(kubeconfig).read_text())
    cluster = content["clusters"][0]["cluster"]
    if "certificate-authority" in cluster:
        authority = Path(cluster.pop("certificate-authority")).read_bytes()
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
    content["users"] = [{"name": "weak", "user": {"token": token}}]
    content["contexts"] = [{"name": "weak", "context": {"cluster": content["clusters"][0]["name"], "user": "weak"}}]
    content["current-context"] = "weak"
    path = folder / "weak.conf"
    path.write_text(yaml.safe_dump(content))
    return str(path)
