"""The command line against a real Kubeflow Pipelines backend, named by KFP_ENDPOINT.

KFP_NAMESPACE and KFP_TOKEN as for the command line. TUNESMITH_IMAGE: an image that the backend's nodes have. KFP_PLATFORM: a
platform file, where steps need one. KFP_KATIB: a namespace for trials, where Katib with Tunesmith's algorithms is there, too.
KFP_PIPELINE_ROOT with AWS_ENDPOINT_URL and keys: where artifacts are looked for, if this machine reaches the store.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith import storage
from tunesmith.kfp_client.connection import Address, Backend, connect
from tunesmith.kfp_client.schedules import list_schedules, unschedule

pytestmark = [pytest.mark.kfp, pytest.mark.slow, pytest.mark.timeout(2400)]

STEPS = ["prepare-data", "search-model", "train-model", "evaluate-model", "check-model", "export-model"]
SPACE = '{"kind": "layers", "convs": 0, "dense": [1, 1], "units": 16, "batch_size": 128}'
SMALL = [f"search_space={SPACE}", "trials=2", "parallel_trials=1", "epochs_per_trial=1", 'export_formats=["saved_model"]']


@pytest.fixture(scope="module")
def backend() -> Backend:
    if not os.environ.get("KFP_ENDPOINT"):
        pytest.skip("no Kubeflow Pipelines backend: KFP_ENDPOINT is not set")
    return connect(Address())


def tunesmith(*arguments: str, settings: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command with pipeline parameters, placed as KFP_PLATFORM says."""
    platform = ["--platform", os.environ["KFP_PLATFORM"]] if os.environ.get("KFP_PLATFORM") else []
    given = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "tunesmith", *arguments, *given, *platform]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=2300)


@pytest.fixture(scope="module")
def finished(backend: Backend) -> dict[str, Any]:
    """The verdict on a run of `tune` with the smallest settings and a gate that it passes."""
    done = tunesmith("ci", "tune", "--no-cache", "--require", "gate", "--json", settings=[*SMALL, "min_test_accuracy=0.01"])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_goes_through_all_of_its_steps(finished: dict[str, Any]) -> None:
    assert finished["state"] == "SUCCEEDED"
    assert finished["gate"] == "passed"
    assert {name: state for name, state in finished["steps"].items() if name in STEPS} == dict.fromkeys(STEPS, "SUCCEEDED")


def test_its_figures_are_read_from_its_pods(finished: dict[str, Any]) -> None:
    assert 0 < finished["figures"]["evaluate-model"]["test_accuracy"] <= 1
    assert finished["figures"]["search-model"]["trials"] == 2


def test_its_artifacts_are_in_the_store(finished: dict[str, Any]) -> None:
    root = os.environ.get("KFP_PIPELINE_ROOT")
    if not root:
        pytest.skip("KFP_PIPELINE_ROOT is not set")
    run = storage.join(root, "tune", finished["run_id"])
    made = {
        name
        for step in storage.names(run)
        for salt in storage.names(storage.join(run, step))
        for name in storage.names(storage.join(run, step, salt))
    }
    assert {"dataset", "study", "leaderboard", "model", "evaluation", "exports", "report"} <= made


def test_a_finished_run_is_found_by_its_id(finished: dict[str, Any]) -> None:
    done = tunesmith("ci", finished["run_id"], settings=[])
    assert done.returncode == 0, done.stderr
    done = tunesmith("pipeline", "runs", "--limit", "100", "--json", settings=[])
    assert finished["run_id"] in [run["run_id"] for run in json.loads(done.stdout)]


def test_a_model_below_its_gate_fails_the_job_with_the_reason(backend: Backend) -> None:
    done = tunesmith("ci", "tune", "--json", settings=[*SMALL, "min_test_accuracy=1.0"])
    assert done.returncode == 1, done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["gate"] == "not passed"
    assert "below min_accuracy 1" in verdict["reasons"][0]
    assert verdict["steps"]["evaluate-model"] == "SUCCEEDED"


def test_a_search_on_katib_is_a_step_like_others(backend: Backend) -> None:
    if not os.environ.get("KFP_KATIB"):
        pytest.skip("KFP_KATIB is not set")
    cluster = {"namespace": os.environ["KFP_KATIB"], "secrets": ["mlpipeline-minio-artifact"]}
    settings = [*SMALL, "engine=katib", f"cluster={json.dumps(cluster)}", "cpus_per_trial=0.5"]
    done = tunesmith("ci", "tune", "--no-cache", "--json", settings=settings)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["figures"]["search-model"]["trials"] == 2


@pytest.fixture
def name(backend: Backend) -> Iterator[str]:
    """The name of a schedule, which is gone after the test."""
    name = f"tunesmith-test-{secrets.token_hex(3)}"
    yield name
    if list_schedules(backend, name):
        unschedule(backend, name)


def test_a_schedule_is_replaced_and_never_doubled(backend: Backend, name: str, tmp_path: Path) -> None:
    settings = ["registry_uri=s3://models/test"]
    made = ("pipeline", "schedule", "retrain", "--name", name, "--cron")
    for cron, changed in (("0 3 * * 1", True), ("0 3 * * 1", False), ("0 4 * * 1", True)):
        done = tunesmith(*made, cron, "--json", settings=settings)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["changed"] is changed
        (found,) = list_schedules(backend, name)
        assert found.trigger == f"cron 0 {cron}"
        assert found.enabled
    assert unschedule(backend, name) == 1
    assert list_schedules(backend, name) == []


def test_an_interval_does_as_well(backend: Backend, name: str) -> None:
    done = tunesmith(
        "pipeline", "schedule", "retrain", "--name", name, "--every", "7d", settings=["registry_uri=s3://models/test"]
    )
    assert done.returncode == 0, done.stderr
    (found,) = list_schedules(backend, name)
    assert found.trigger == "every 604800 s"
