"""Reaches a service of the cluster from this machine, whatever network the cluster has."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.kubectl import kubeconfig
from tests.manifests.builds import kubectl


@contextmanager
def forwarded(namespace: str, service: str, port: int) -> Iterator[str]:
    """Yield host:port of loopback that leads to the service."""
    command = [kubectl(), "--kubeconfig", kubeconfig(), "-n", namespace, "port-forward", f"service/{service}", f":{port}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = re.match(r"Forwarding from (127\.0\.0\.1:\d+)", process.stdout.readline())
        assert told, process.communicate()[1]
        yield told[1]
    finally:
        process.kill()
        process.wait()
