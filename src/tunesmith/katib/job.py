"""Builds the Job of a trial: one pod that runs `tunesmith trial`, as restricted as Pod Security asks."""

import base64
from collections.abc import Sequence
from typing import Any

from tunesmith.katib import environment
from tunesmith.katib.candidate import PARAMETER, PARENT, STOP_RULE
from tunesmith.katib.outline import LABEL, Outline, compact, label
from tunesmith.sections import ClusterSpec, ResourcesSpec, VolumeSpec

CONTAINER = "trial"
# Of a non-root user that the images run as.
USER = 65532
# What a trial's process and its libraries hold beyond what the trial itself may use.
LIBRARIES = 1536 * 2**20
DEFAULT_MEMORY = 2 * 2**30
# In one pod; what kills two workers is taken for the candidate's doing.
ATTEMPTS = 2
# Finished pods and their logs stay so long.
KEPT_SECONDS = 24 * 3600
# Where the pod reads what the service filled in.
VARIABLES = {PARAMETER: environment.CANDIDATE, STOP_RULE: environment.STOP_RULE, PARENT: environment.PARENT}


def trial_job(outline: Outline, cluster: ClusterSpec, resources: ResourcesSpec, placeholders: Sequence[str]) -> dict[str, Any]:
    """Return the Job, its placeholders as Katib fills them in."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {
            # A bad candidate is not tried again; an evicted pod is.
            "backoffLimit": 0,
            "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]},
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": _pod_metadata(outline), "spec": _pod(outline, cluster, resources, placeholders)},
        },
    }


def _pod_metadata(outline: Outline) -> dict[str, Any]:
    unique = label(outline.name, outline.namespace)
    labels = {LABEL: unique, "app.kubernetes.io/part-of": "tunesmith", "app.kubernetes.io/component": "trial"}
    return {"labels": labels, "annotations": {"sidecar.istio.io/inject": "false"}}


def _pod(outline: Outline, cluster: ClusterSpec, resources: ResourcesSpec, placeholders: Sequence[str]) -> dict[str, Any]:
    volumes = [
        {"name": f"claim-{i}", "persistentVolumeClaim": {"claimName": volume.claim, **_read_only(volume)}}
        for i, volume in enumerate(cluster.volumes)
    ]
    optional = {
        "nodeSelector": cluster.node_selector,
        "tolerations": [toleration.model_dump(exclude_none=True) for toleration in cluster.tolerations],
        "priorityClassName": cluster.priority_class,
        "serviceAccountName": cluster.service_account,
        "imagePullSecrets": [{"name": name} for name in cluster.image_pull_secrets],
    }
    return {
        "restartPolicy": "Never",
        **_deadline(cluster, resources),
        # A trial needs no right to the API.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 10,
        "securityContext": {
            **{"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory"}}, *volumes],
        "containers": [_container(outline, cluster, resources, placeholders)],
        **{key: value for key, value in optional.items() if value},
    }


def _deadline(cluster: ClusterSpec, resources: ResourcesSpec) -> dict[str, int]:
    """Return when a pod is ended that cannot notice its own time-out, counted from its arrival at a node.

    A deadline of the Job's would also count the time that its pod waits for a free GPU.
    """
    if resources.seconds is None:
        return {}
    return {"activeDeadlineSeconds": round(ATTEMPTS * resources.seconds + cluster.start_seconds)}


def _container(outline: Outline, cluster: ClusterSpec, resources: ResourcesSpec, placeholders: Sequence[str]) -> dict[str, Any]:
    mounts = [
        {"name": f"claim-{i}", "mountPath": volume.path, **_read_only(volume)} for i, volume in enumerate(cluster.volumes)
    ]
    return {
        "name": CONTAINER,
        "image": outline.image,
        "imagePullPolicy": "IfNotPresent",
        # Without a command Katib's webhook would ask a registry for the image's.
        "command": ["tunesmith", "trial"],
        "env": [{"name": name, "value": value} for name, value in _environment(outline, cluster, placeholders).items()],
        # Katib refuses what Kubernetes would leave out: empty lists, and false where it is the default.
        **({"envFrom": [{"secretRef": {"name": name}} for name in cluster.secrets]} if cluster.secrets else {}),
        "resources": _resources(cluster, resources),
        "securityContext": {
            **{"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
            **{"runAsNonRoot": True, "runAsUser": USER, "seccompProfile": {"type": "RuntimeDefault"}},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "memory", "mountPath": "/dev/shm"}, *mounts],  # noqa: S108
    }


def _read_only(volume: VolumeSpec) -> dict[str, bool]:
    return {"readOnly": True} if volume.read_only else {}


def _environment(outline: Outline, cluster: ClusterSpec, placeholders: Sequence[str]) -> dict[str, str]:
    told = {
        environment.TRIAL: "${trialParameters.trial}",
        **{VARIABLES[name]: f"${{trialParameters.{name}}}" for name in placeholders},
        environment.SPEC: base64.urlsafe_b64encode(compact(outline.content).encode()).decode().rstrip("="),
        environment.STUDY: outline.study,
        environment.DATASET: outline.dataset,
        environment.CODE: outline.code,
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        **cluster.env,
    }
    return {name: value for name, value in told.items() if value}


def _resources(cluster: ClusterSpec, resources: ResourcesSpec) -> dict[str, dict[str, str]]:
    memory = str(resources.memory + LIBRARIES if resources.memory else DEFAULT_MEMORY)
    gpus = {cluster.gpu_resource: str(resources.gpu)} if resources.gpu else {}
    asked = {"cpu": _cores(resources.cpu), "memory": memory, **gpus}
    # A start at less than a core would take as long as many a trial.
    return {"requests": asked, "limits": {**asked, "cpu": _cores(max(resources.cpu, 1.0))}}


def _cores(cores: float) -> str:
    return f"{round(cores * 1000)}m"
