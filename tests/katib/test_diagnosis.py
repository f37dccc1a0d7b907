"""What a hanging experiment is explained by; the objects are as a real API server showed them."""

from typing import Any

import pytest

from tunesmith.katib.diagnosis import event_troubles, failure, pod_troubles, told_fallback


def waiting(reason: str, message: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"metadata": {"name": "a-0001"}, "status": {"phase": "Pending", "containerStatuses": [{"state": state}]}}


def unscheduled(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"metadata": {"name": "a-0001"}, "status": {"phase": "Pending", "conditions": [condition]}}


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    return {"metadata": {"name": "a"}, "status": {"phase": "Failed", "containerStatuses": [{"state": state}]}}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ErrImagePull", "cannot be pulled"),
        ("ImagePullBackOff", "cannot be pulled"),
        ("CreateContainerConfigError", "configured"),
    ],
)
def test_a_container_that_cannot_start_is_explained(reason: str, words: str) -> None:
    trouble = pod_troubles([waiting(reason, 'secret "s3" not found')])[0]
    assert words in trouble.text
    assert 'secret "s3" not found' in trouble.text
    assert not trouble.patient


def test_a_container_that_is_being_made_is_no_trouble() -> None:
    assert pod_troubles([waiting("ContainerCreating", "")]) == []


def test_a_pod_that_waits_for_a_gpu_is_waited_for() -> None:
    trouble = pod_troubles([unscheduled("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")])[0]
    assert trouble.patient
    assert "waits for a node" in trouble.text


def test_a_pod_that_no_node_will_ever_take_is_not() -> None:
    assert not pod_troubles([unscheduled("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")])[
        0
    ].patient


def event(kind: str, name: str, reason: str, message: str) -> dict[str, Any]:
    return {"involvedObject": {"kind": kind, "name": name}, "reason": reason, "message": message}


def test_a_job_whose_pods_are_forbidden_is_explained_with_what_helps() -> None:
    events = [
        event("Job", "other-0001", "FailedCreate", "not ours"),
        event("Job", "digits-0001", "FailedCreate", 'pods is forbidden: violates PodSecurity "restricted:latest": ...'),
    ]
    troubles = event_troubles(events, "digits")
    assert len(troubles) == 1
    assert "Pod Security level" in troubles[0].text


def test_a_quota_that_others_use_up_is_waited_for() -> None:
    trouble = event_troubles([event("Job", "d-1", "FailedCreate", "exceeded quota: gpus, used: 4, limited: 4")], "d")[0]
    assert trouble.patient
    assert "the search waits" in trouble.text


def test_of_repeated_warnings_the_newest_is_told_first_and_once() -> None:
    events = [
        event("Job", "d-1", "FailedCreate", "old"),
        event("Job", "d-2", "A", "x"),
        event("Job", "d-1", "FailedCreate", "new"),
    ]
    assert [trouble.text for trouble in event_troubles(events, "d")] == ["Job d-2: A: x", "Job d-1: FailedCreate: new"]


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (ended(137, "OOMKilled"), "out of memory"),
        (ended(137), "killed (signal 9)"),
        (ended(3, message="needs about 900 MiB"), "exit code 3: needs about 900 MiB"),
    ],
)
def test_a_failed_trial_that_left_nothing_is_explained_by_its_pod(pod: dict[str, Any], reason: str) -> None:
    assert reason in failure({}, [pod])


def test_a_pod_that_was_ended_by_its_deadline_has_taken_too_long() -> None:
    pod = ended(137)
    pod["status"] |= {"phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active longer than its deadline"}
    assert failure({}, [pod]) == "time-out: Pod was active longer than its deadline"


def test_a_trial_without_pods_is_explained_by_katib() -> None:
    message = "Trial has failed. Job reason: DeadlineExceeded"
    assert failure({"status": {"conditions": [{"type": "Failed", "message": message}]}}, []) == f"time-out: {message}"
    assert failure({}, []) == "its pod left no outcome"


def test_proposals_that_the_strategy_did_not_make_in_time_are_told() -> None:
    fallback = {"name": "fallback", "value": '{"count": 3, "last": 7, "why": "it took more than 2 s"}'}
    assert told_fallback({"algorithmSettings": [fallback]}).startswith("3 candidates were drawn at random")
    assert told_fallback({}) == ""
