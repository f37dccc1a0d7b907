"""GPU seconds: from a container's start to its end, evicted attempts included."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tunesmith.katib.gpu_time import GpuTime
from tunesmith.study import State, Trial

START = datetime(2026, 1, 1, tzinfo=UTC)


def pod(uid: str, trial: str, seconds: float | None) -> dict[str, Any]:
    """A pod that has run for `seconds` and ended, or that runs since ten seconds."""
    if seconds is None:
        began = datetime.now(UTC) - timedelta(seconds=10)
        state, phase = {"running": {"startedAt": began.isoformat()}}, "Running"
    else:
        end = START + timedelta(seconds=seconds)
        state, phase = {"terminated": {"startedAt": START.isoformat(), "finishedAt": end.isoformat()}}, "Succeeded"
    return {
        "metadata": {"uid": uid, "labels": {"job-name": trial}},
        "status": {"phase": phase, "containerStatuses": [{"state": state}]},
    }


def test_a_trial_costs_its_pods_time_for_each_gpu() -> None:
    time = GpuTime(2, [])
    assert time.settle("a", [pod("1", "a", 30)]) == {"gpu_seconds": 60}
    assert time.seconds == 60


def test_an_evicted_pod_that_is_gone_by_then_counts_too() -> None:
    time = GpuTime(1, [])
    assert time.see([pod("1", "a", None)]) == 1
    assert time.settle("a", [pod("2", "a", 30)])["gpu_seconds"] == pytest.approx(40, abs=2)


def test_what_runs_counts_already_and_what_ran_before_still_does() -> None:
    time = GpuTime(1, [Trial(0, {}, State.FINISHED, facts={"gpu_seconds": 100.0})])
    time.see([pod("1", "a", None)])
    assert time.seconds == pytest.approx(110, abs=2)


def test_without_gpus_nothing_is_counted_and_a_pod_that_has_not_started_costs_nothing() -> None:
    assert GpuTime(0, []).settle("a", [pod("1", "a", 30)]) == {}
    time = GpuTime(1, [])
    assert time.see([{"metadata": {"uid": "1", "labels": {"job-name": "a"}}, "status": {"phase": "Pending"}}]) == 0
    assert time.seconds == 0


def test_where_no_pod_is_left_the_trials_own_account_counts() -> None:
    time = GpuTime(2, [])
    assert time.settle("a", [], 30) == {"gpu_seconds": 60}
    assert time.settle("b", [pod("1", "b", 10)], 30) == {"gpu_seconds": 20}
