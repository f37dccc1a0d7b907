"""What keeps an Experiment from going on, in words: Katib hangs without a sign where a pod or a Job cannot be made."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]

# What a container waits for without hope that waiting helps.
STUCK = {
    "ErrImagePull": "the image cannot be pulled",
    "ImagePullBackOff": "the image cannot be pulled",
    "ErrImageNeverPull": "the image is not on the node",
    "InvalidImageName": "the image's name is not valid",
    "CreateContainerConfigError": "the container cannot be configured",
    "CreateContainerError": "the container cannot be made",
    "RunContainerError": "the container cannot be started",
    "CrashLoopBackOff": "the container dies again and again",
}
QUOTA = "exceeded quota"
LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Trouble:
    """Something that keeps a pod from running; `patient` where waiting for capacity is all that it needs."""

    text: str
    patient: bool = False


def pod_troubles(pods: Iterable[Object]) -> list[Trouble]:
    """Return what keeps each of the pods from running."""
    return [trouble for pod in pods if (trouble := _pod_trouble(pod))]


def _pod_trouble(pod: Object) -> Trouble | None:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in STUCK:
            message = waiting.get("message", "")[:LONGEST_MESSAGE]
            return Trouble(f"pod {name}: {STUCK[waiting['reason']]} ({waiting['reason']}): {message}")
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            message = condition.get("message", "")[:LONGEST_MESSAGE]
            return Trouble(f"pod {name} waits for a node: {message}", patient="Insufficient" in message)
    return None


def event_troubles(events: Iterable[Object], experiment: str) -> list[Trouble]:
    """Return what the warnings about an experiment's objects say, the newest of each object first."""
    newest = {}
    for event in events:
        subject = event.get("involvedObject", {})
        if str(subject.get("name", "")).startswith(experiment):
            newest[(subject.get("kind"), subject["name"], event.get("reason"))] = event
    return [
        Trouble(_event_text(event), patient="exceeded quota" in event.get("message", "")) for event in reversed(newest.values())
    ]


def _event_text(event: Object) -> str:
    subject = event["involvedObject"]
    message = str(event.get("message", ""))[:LONGEST_MESSAGE]
    return f"{subject.get('kind')} {subject['name']}: {event.get('reason')}: {message}{_advice(message)}"


def _advice(message: str) -> str:
    if "violates PodSecurity" in message:
        return "\nits image or template does not meet the namespace's Pod Security level"
    if QUOTA in message:
        return "\nthe namespace's ResourceQuota is used up for now; the search waits"
    if "serviceaccount" in message and "not found" in message:
        return "\ncluster.service_account names one that is not in this namespace"
    return ""


def failure(trial: Object, pods: Iterable[Object]) -> str:
    """Return why a trial failed that could not tell it itself: what its last pod's container says, else its conditions."""
    reasons = [reason for pod in sorted(pods, key=_started) if (reason := _pod_failure(pod))]
    if reasons:
        return reasons[-1]
    conditions = trial.get("status", {}).get("conditions", [])
    messages = [
        item.get("message", "") for item in conditions if item.get("type") in ("Failed", "Killed", "MetricsUnavailable")
    ]
    said = messages[-1] if messages and messages[-1] else "its pod left no outcome"
    return f"time-out: {said}" if "DeadlineExceeded" in said else said


def _started(pod: Object) -> str:
    return pod.get("status", {}).get("startTime") or ""


def _pod_failure(pod: Object) -> str:
    status = pod.get("status", {})
    if status.get("reason") == "DeadlineExceeded":
        return f"time-out: {status.get('message', 'its pod exceeded its deadline')}"
    for container in status.get("containerStatuses", []):
        ended = container.get("state", {}).get("terminated")
        if not ended or ended.get("exitCode") == 0:
            continue
        if ended.get("reason") == "OOMKilled":
            return "out of memory: the pod's limit was exceeded and the system killed it"
        message = str(ended.get("message", "")).strip()
        code = ended.get("exitCode")
        killed = f"the trial's process was killed (signal {code - 128})" if code and code > 128 else f"exit code {code}"
        return f"{killed}: {message[-LONGEST_MESSAGE:]}" if message else killed
    return status.get("message", "") if status.get("phase") == "Failed" else ""


def condition_of(experiment: Object) -> str:
    """Return an Experiment's end where it has one, else its last condition that holds."""
    conditions = experiment.get("status", {}).get("conditions", [])
    holding = [item["type"] for item in conditions if item.get("status") == "True"]
    return next((kind for kind in ("Failed", "Succeeded") if kind in holding), holding[-1] if holding else "Created")


def messages(status: Object, condition: str) -> list[str]:
    """Return what a status says beside the conditions of a type."""
    return [item.get("message", "") for item in status.get("conditions", []) if item.get("type") == condition]


def told_fallback(status: Object) -> str:
    """Return what a Suggestion's status tells of proposals that the strategy did not make in time, or ''."""
    settings = {item["name"]: item["value"] for item in status.get("algorithmSettings", [])}
    if "fallback" not in settings:
        return ""
    fallback = json.loads(settings["fallback"])
    return f"{fallback['count']} candidates were drawn at random in place of the strategy's; the last because {fallback['why']}"
