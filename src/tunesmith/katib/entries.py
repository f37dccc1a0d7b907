"""Tunesmith's strategies as Katib's configuration lists algorithms."""

from typing import Any

from tunesmith import registry
from tunesmith.katib.config_text import PREFIX
from tunesmith.katib.environment import NAMESPACE

# What restricted Pod Security asks of a container, and a probe at once: Katib's own begins after ten seconds.
CONTAINER = {
    "imagePullPolicy": "IfNotPresent",
    # No request of Katib's tells it, and an account's token, where it lies too, need not be there.
    "env": [{"name": NAMESPACE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
    "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "readinessProbe": {
        "grpc": {"port": 6789, "service": "manager.v1beta1.Suggestion"},
        "initialDelaySeconds": 1,
        "periodSeconds": 1,
        "failureThreshold": 30,
    },
}


def strategy_entries() -> list[dict[str, Any]]:
    """Return the entries of all strategies, their image still missing."""
    return [{"algorithmName": PREFIX + name, **CONTAINER} for name in registry.discover("tunesmith.strategies")]
