"""Builds the Katib Experiment of a search: its trials are Jobs that run `tunesmith trial`, one candidate each."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.katib import environment
from tunesmith.katib.candidate import PARAMETER, STOP_RULE, encode
from tunesmith.sections import ClusterSpec, ResourcesSpec, VolumeSpec
from tunesmith.spaces._space import Candidate
from tunesmith.study import Objective, Trial

LABEL = "tunesmith.io/experiment"
STUDY_LABEL = "tunesmith.io/study"
CONTAINER = "trial"
# Of a non-root user that the images run as.
USER = 65532
# Katib lets an experiment's name be no longer.
LONGEST_NAME = 40
# What a trial's process and its libraries hold beyond what the trial itself may use.
LIBRARIES = 1536 * 2**20
DEFAULT_MEMORY = 2 * 2**30
# A trial notices its own time-out; the Job's deadline is for one that cannot.
GRACE_SECONDS = 120
# Finished pods and their logs stay so long.
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Outline:
    """What an Experiment is made of.

    `content`: the study's, its space fitted to the data. `trials`: how many it may run, `offset`: the number of its first.
    `earlier`: trials of the study that have ended, `first`: candidates to be tried first. `study`, `dataset`, `code`: storage
    URIs, empty where there is none.
    """

    name: str
    namespace: str
    study_id: str
    content: Mapping[str, Any]
    objective: Objective
    trials: int
    parallel: int
    image: str
    study: str
    dataset: str = ""
    code: str = ""
    offset: int = 0
    earlier: Sequence[Trial] = ()
    first: Sequence[Candidate] = ()


def build_experiment(outline: Outline, cluster: ClusterSpec, resources: ResourcesSpec) -> dict[str, Any]:
    """Return the Experiment as the API server takes it."""
    from kubeflow_katib_api import models

    placeholders = [PARAMETER, *([STOP_RULE] if outline.content.get("scheduler") else [])]
    spec = models.V1beta1ExperimentSpec(
        objective=models.V1beta1ObjectiveSpec(
            type=outline.objective.goal,
            objectiveMetricName=outline.objective.metric,
            metricStrategies=[models.V1beta1MetricStrategy(name=outline.objective.metric, value="latest")],
        ),
        algorithm=models.V1beta1AlgorithmSpec(
            algorithmName=f"tunesmith-{outline.content['strategy']['name']}",
            algorithmSettings=[models.V1beta1AlgorithmSetting(name=n, value=v) for n, v in _settings(outline).items()],
        ),
        metricsCollectorSpec=models.V1beta1MetricsCollectorSpec(collector=models.V1beta1CollectorSpec(kind="Push")),
        parallelTrialCount=outline.parallel,
        maxTrialCount=outline.trials,
        maxFailedTrialCount=outline.trials,
        resumePolicy="Never",
        parameters=[
            models.V1beta1ParameterSpec(
                name=name, parameterType="categorical", feasibleSpace=models.V1beta1FeasibleSpace(list=["auto"])
            )
            for name in placeholders
        ],
        trialTemplate=models.V1beta1TrialTemplate(
            primaryContainerName=CONTAINER,
            # Finished pods are asked why they failed.
            retain=True,
            trialParameters=[
                *(models.V1beta1TrialParameterSpec(name=name, reference=name) for name in placeholders),
                models.V1beta1TrialParameterSpec(name="trial", reference="${trialSpec.Name}"),
            ],
            trialSpec=_job(outline, cluster, resources, placeholders),
        ),
    )
    labels = {LABEL: label(outline.name, outline.namespace), STUDY_LABEL: outline.study_id}
    metadata = models.IoK8sApimachineryPkgApisMetaV1ObjectMeta(name=outline.name, labels=labels)
    return models.V1beta1Experiment(
        apiVersion="kubeflow.org/v1beta1", kind="Experiment", metadata=metadata, spec=spec
    ).to_dict()


def label(name: str, namespace: str) -> str:
    """Return what marks an Experiment and its pods: Katib mixes up experiments of one name in two namespaces without it."""
    return f"{name}-{hashlib.sha256(namespace.encode()).hexdigest()[:8]}"


def _settings(outline: Outline) -> dict[str, str]:
    """Return what the suggestion service is told."""
    settings = {"spec": _compact(outline.content)}
    if outline.offset:
        settings["offset"] = str(outline.offset)
        settings["earlier"] = _compact(_rows(outline.earlier, outline.objective))
    if outline.first:
        settings["first"] = _compact([encode(candidate) for candidate in outline.first])
    return settings


def _rows(trials: Iterable[Trial], objective: Objective) -> list[list[Any]]:
    return [[trial.number, encode(trial.candidate), trial.state.value, trial.metrics.get(objective.metric)] for trial in trials]


def _compact(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))


def _job(outline: Outline, cluster: ClusterSpec, resources: ResourcesSpec, placeholders: Sequence[str]) -> dict[str, Any]:
    deadline = {"activeDeadlineSeconds": round(resources.seconds) + GRACE_SECONDS} if resources.seconds else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {
            # A bad candidate is not tried again; an evicted pod is.
            "backoffLimit": 0,
            "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]},
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            **deadline,
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
        environment.CANDIDATE: f"${{trialParameters.{PARAMETER}}}",
        environment.SPEC: base64.urlsafe_b64encode(_compact(outline.content).encode()).decode().rstrip("="),
        environment.STUDY: outline.study,
        environment.DATASET: outline.dataset,
        environment.CODE: outline.code,
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        **cluster.env,
    }
    if STOP_RULE in placeholders:
        told[environment.STOP_RULE] = f"${{trialParameters.{STOP_RULE}}}"
    return {name: value for name, value in told.items() if value}


def _resources(cluster: ClusterSpec, resources: ResourcesSpec) -> dict[str, dict[str, str]]:
    memory = str(resources.memory + LIBRARIES if resources.memory else DEFAULT_MEMORY)
    gpus = {cluster.gpu_resource: str(resources.gpu)} if resources.gpu else {}
    asked = {"cpu": _cores(resources.cpu), "memory": memory, **gpus}
    # A start at less than a core would take as long as many a trial.
    return {"requests": asked, "limits": {**asked, "cpu": _cores(max(resources.cpu, 1.0))}}


def _cores(cores: float) -> str:
    return f"{round(cores * 1000)}m"
