"""The cluster under test: the one of KUBECONFIG, else that of `make cluster`; namespaces in it that tests may fill."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests.cluster.box import places
from tests.cluster.kubectl import run
from tests.cluster.searches import Workplace
from tests.cluster.workplaces import make_workplace

INJECTION = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """The path of the cluster's kubeconfig; without a cluster the test is skipped, or fails with TUNESMITH_CLUSTER=required."""
    asked = os.environ.get("KUBECONFIG")
    if asked or places.READY.exists():
        return asked or str(places.KUBECONFIG)
    reason = "no cluster: KUBECONFIG is not set, and `make cluster` has not started one"
    if os.environ.get("TUNESMITH_CLUSTER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kube(kubeconfig: str) -> client.ApiClient:
    """A client of the cluster, as its administrator."""
    return config.new_client_from_config(kubeconfig)


@pytest.fixture(scope="session")
def installed(kube: client.ApiClient) -> None:
    """Tunesmith's overlay `dev`, applied; where that was done before, nothing changes."""
    run("apply", "-k", "manifests/overlays/dev")
    run("wait", "-n", "kubeflow", "--for=condition=complete", "--timeout=5m", "job/tunesmith-config")


@pytest.fixture
def namespace(kube: client.ApiClient) -> Iterator[str]:
    """A new namespace for experiments, whose pods must be `restricted`; deleted after the test."""
    with _namespace(kube, {**INJECTION, **RESTRICTED}) as name:
        yield name


@pytest.fixture
def second_namespace(kube: client.ApiClient) -> Iterator[str]:
    """Another one of the same kind."""
    with _namespace(kube, {**INJECTION, **RESTRICTED}) as name:
        yield name


@pytest.fixture
def open_namespace(kube: client.ApiClient) -> Iterator[str]:
    """A new namespace for experiments with Katib's own metrics collector, which `restricted` would forbid."""
    with _namespace(kube, INJECTION) as name:
        yield name


@contextmanager
def _namespace(kube: client.ApiClient, labels: dict[str, str]) -> Iterator[str]:
    """Make a namespace, and wait in the end until all in it is gone, since its pods hold GPUs."""
    core: Any = client.CoreV1Api(kube)
    name = f"test-{secrets.token_hex(4)}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name, labels=labels)))
    try:
        _wait_for_account(core, name)
        yield name
    finally:
        core.delete_namespace(name)
        _wait_until_gone(core, name)


def _wait_for_account(core: Any, namespace: str) -> None:
    """No pod is admitted before the namespace's default service account is there."""
    deadline = time.monotonic() + 60
    while not core.list_namespaced_service_account(namespace).items:
        assert time.monotonic() < deadline, f"namespace {namespace} has no service account after a minute"
        time.sleep(0.1)


def _wait_until_gone(core: Any, namespace: str) -> None:
    deadline = time.monotonic() + 120
    while core.list_namespace(field_selector=f"metadata.name={namespace}").items:
        assert time.monotonic() < deadline, f"namespace {namespace} is not gone two minutes after its deletion"
        time.sleep(0.5)


@pytest.fixture
def workplace(installed: None, kube: client.ApiClient, kubeconfig: str, namespace: str, tmp_path: Path) -> Iterator[Workplace]:
    """A new namespace with a volume that this machine shares with its pods."""
    with make_workplace(kube, kubeconfig, namespace, tmp_path) as made:
        yield made
