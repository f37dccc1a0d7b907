"""`tunesmith search --engine katib` on a real Katib: what it records, and what it must not lose."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient, CoreV1Api

from tests.cluster.searches import Workplace, finished, wait_for
from tests.cluster.workplaces import held_gpus, make_workplace, weak_account
from tunesmith.katib.candidate import issue_number
from tunesmith.katib.cluster import Cluster
from tunesmith.study import State

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

LONG = {"evaluation": {"function": "objectives.py:working"}, "budget": {"trials": 6, "parallel": 2}}


def cluster_of(workplace: Workplace) -> Cluster:
    os.environ["KUBECONFIG"] = workplace.kubeconfig
    return Cluster.connect(workplace.namespace)


def experiments(workplace: Workplace, file: Any) -> list[dict[str, Any]]:
    if not (workplace.study(file) / "katib.json").exists():
        return []
    return cluster_of(workplace).experiments(f"tunesmith.io/study={workplace.study_id(file)}")


def ended_trials(workplace: Workplace, file: Any) -> int:
    found = experiments(workplace, file)
    return len(found[0].get("status", {}).get("succeededTrialList", [])) if found else 0


def running_pods(workplace: Workplace) -> list[dict[str, Any]]:
    pods = cluster_of(workplace).pods("app.kubernetes.io/component=trial")
    return [pod for pod in pods if pod["status"]["phase"] == "Running"]


def test_a_search_ends_with_every_trial_recorded_and_its_gpu_time_counted(workplace: Workplace) -> None:
    file = workplace.write()
    summary = workplace.succeed(file)
    trials = workplace.trials(file)
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert all(trial.metrics["loss"] == pytest.approx((trial.candidate["x"] - 0.3) ** 2) for trial in trials)
    assert all(trial.facts["gpu_seconds"] > 0 for trial in trials)
    assert summary["trials"] == 4
    assert workplace.succeed(file), "a finished search answers again at once"


def test_a_killed_client_finds_its_experiment_again_and_no_trial_runs_twice(workplace: Workplace) -> None:
    file = workplace.write(**LONG)
    client = workplace.start(file)
    wait_for("the first trials", lambda: ended_trials(workplace, file) >= 2)
    client.send_signal(signal.SIGKILL)
    client.wait()
    workplace.succeed(file)
    assert [trial.number for trial in workplace.trials(file)] == list(range(6))
    assert len(experiments(workplace, file)) == 1


@pytest.mark.slow
def test_ctrl_c_stops_the_experiment_and_the_next_call_goes_on(workplace: Workplace) -> None:
    file = workplace.write(**LONG)
    client = workplace.start(file)
    wait_for("the first trials", lambda: ended_trials(workplace, file) >= 2)
    client.send_signal(signal.SIGINT)
    assert client.wait(timeout=60) == 130
    wait_for("the experiment to go", lambda: not experiments(workplace, file))
    workplace.succeed(file)
    trials = workplace.trials(file)
    assert len(finished(trials)) == 6
    assert len({trial.key for trial in trials}) == 6


@pytest.mark.slow
def test_a_deleted_suggestion_pod_loses_nothing(workplace: Workplace) -> None:
    file = workplace.write(**LONG)
    client = workplace.start(file)
    wait_for("the first trials", lambda: ended_trials(workplace, file) >= 2)
    cluster = cluster_of(workplace)
    pods = [pod for pod in cluster.pods("katib.kubeflow.org/deployment") if pod["status"]["phase"] == "Running"]
    assert pods
    for pod in pods:
        delete_pod(cluster, pod["metadata"]["name"])
    assert client.wait(timeout=300) == 0, client.communicate()[1]
    trials = workplace.trials(file)
    assert [trial.number for trial in trials] == list(range(6))
    assert len({trial.key for trial in trials}) == 6


def delete_pod(cluster: Cluster, name: str) -> None:
    from kubernetes import client

    client.CoreV1Api(cluster.client).delete_namespaced_pod(name, cluster.namespace, grace_period_seconds=0)


REASONS = {"hang": "time-out", "nan": "loss is nan", "memory": "out of memory", "killed": "killed"}


def test_bad_candidates_fail_with_their_reasons_and_the_search_goes_on(workplace: Workplace) -> None:
    parameters = {"x": {"int": [1, 2]}, "trouble": {"choice": ["none", *REASONS]}}
    file = workplace.write(
        space={"kind": "parameters", "parameters": parameters},
        evaluation={"function": "objectives.py:troubled"},
        resources={"memory": "200Mi", "seconds": 8},
        budget={"trials": 10},
    )
    workplace.succeed(file)
    for trial in workplace.trials(file):
        trouble = str(trial.candidate["trouble"])
        assert (trial.state, trouble) in {(State.FINISHED, "none"), *((State.FAILED, name) for name in REASONS)}
        assert REASONS.get(trouble, "") in trial.reason


def test_a_trial_killed_with_all_its_processes_has_failed_and_the_search_goes_on(workplace: Workplace) -> None:
    file = workplace.write(evaluation={"function": "objectives.py:working"}, budget={"trials": 3, "parallel": 3})
    client = workplace.start(file)
    trial = wait_for("a running trial", lambda: running_pods(workplace))[0]["metadata"]["labels"]["job-name"]
    for process in wait_for("its processes on this machine", lambda: processes_of(trial)):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    assert client.wait(timeout=300) == 0, client.communicate()[1]
    reasons = {trial.number: trial.reason for trial in workplace.trials(file)}
    killed = issue_number(trial)
    assert "killed" in reasons.pop(killed or 0)
    assert list(reasons.values()) == ["", ""]


def processes_of(trial: str) -> list[int]:
    """Return the processes of a trial's pod, which runs on this machine."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"TUNESMITH_TRIAL={trial}".encode() in environment.read_bytes():
                found.append(int(environment.parent.name))
    return found


@pytest.mark.slow
def test_an_evicted_trial_is_run_again_and_finishes(workplace: Workplace) -> None:
    from kubernetes import client as api

    file = workplace.write(evaluation={"function": "objectives.py:working"}, budget={"trials": 2, "parallel": 2})
    client = workplace.start(file)
    pod = wait_for("a running trial", lambda: running_pods(workplace))[0]["metadata"]["name"]
    eviction = api.V1Eviction(metadata=api.V1ObjectMeta(name=pod, namespace=workplace.namespace))
    api.CoreV1Api(cluster_of(workplace).client).create_namespaced_pod_eviction(pod, workplace.namespace, eviction)
    assert client.wait(timeout=300) == 0, client.communicate()[1]
    assert len(finished(workplace.trials(file))) == 2


@pytest.mark.slow
def test_a_restart_of_katibs_controller_and_database_loses_nothing(workplace: Workplace) -> None:
    file = workplace.write(**LONG)
    client = workplace.start(file)
    wait_for("the first trials", lambda: ended_trials(workplace, file) >= 2)
    katib = Cluster(cluster_of(workplace).client, "kubeflow")
    for name in ("katib-controller", "mysql", "mariadb", "katib-db-manager"):
        for pod in katib.pods(""):
            if pod["metadata"]["name"].startswith(name):
                delete_pod(katib, pod["metadata"]["name"])
    assert client.wait(timeout=400) == 0, client.communicate()[1]
    trials = workplace.trials(file)
    assert len(trials) == 6
    assert len({trial.key for trial in trials}) == 6


@pytest.mark.slow
def test_a_search_waits_for_a_free_gpu_and_says_so(workplace: Workplace, kube: ApiClient) -> None:
    file = workplace.write(budget={"trials": 2, "parallel": 2}, cluster={"start_seconds": 12})
    with held_gpus(kube, workplace.namespace, 4) as release:
        client = workplace.start(file)
        time.sleep(25)
        assert client.poll() is None, client.communicate()[1]
        release()
        _, told = client.communicate(timeout=200)
    assert client.returncode == 0, told
    assert "Insufficient nvidia.com/gpu" in told


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"image": "localhost/no-such-image:1"}, "the image cannot be pulled"),
        ({"secrets": ["no-such-secret"]}, 'secret "no-such-secret" not found'),
        pytest.param(
            {"service_account": "no-such-account"}, 'serviceaccount "no-such-account" not found', marks=pytest.mark.slow
        ),
        pytest.param({"node_selector": {"pool": "none"}}, "waits for a node", marks=pytest.mark.slow),
    ],
)
def test_what_keeps_pods_from_starting_is_explained_with_exit_code_2(
    workplace: Workplace, section: dict[str, Any], told: str
) -> None:
    file = workplace.write(cluster={**section, "start_seconds": 20})
    done = workplace.search(file)
    assert done.returncode == 2
    assert told in done.stderr
    wait_for("the experiment to go", lambda: not experiments(workplace, file))


def test_a_namespace_that_katib_does_not_serve_is_explained(workplace: Workplace) -> None:
    done = workplace.search(workplace.write(cluster={"namespace": "default"}))
    assert done.returncode == 2
    assert "kubectl label namespace" in done.stderr


def test_a_katib_that_does_not_know_tunesmith_is_told_what_to_apply(workplace: Workplace, kube: ApiClient) -> None:
    core = CoreV1Api(kube)
    known = core.read_namespaced_config_map("katib-config", "kubeflow").data
    forgotten = {name: text.replace("tunesmith-random", "tunesmith-gone") for name, text in known.items()}
    core.patch_namespaced_config_map("katib-config", "kubeflow", {"data": forgotten})
    try:
        wait_for("Katib to forget it", lambda: workplace.search(workplace.write()).returncode == 2)
        done = workplace.search(workplace.write())
    finally:
        core.patch_namespaced_config_map("katib-config", "kubeflow", {"data": known})
    assert done.returncode == 2
    assert "kubectl apply -k manifests/overlays" in done.stderr


def test_rights_that_are_too_small_are_named_with_verb_and_resource(
    workplace: Workplace, kube: ApiClient, tmp_path: Path
) -> None:
    workplace.kubeconfig = weak_account(kube, workplace.kubeconfig, workplace.namespace, tmp_path)
    done = workplace.search(workplace.write())
    assert done.returncode == 2
    assert 'cannot list resource "experiments"' in done.stderr
    assert "tunesmith-runner" in done.stderr


@pytest.fixture
def second(kube: ApiClient, kubeconfig: str, second_namespace: str, tmp_path: Path) -> Iterator[Workplace]:
    (tmp_path / "second").mkdir()
    with make_workplace(kube, kubeconfig, second_namespace, tmp_path / "second") as made:
        yield made


@pytest.mark.slow
def test_two_experiments_of_one_name_in_two_namespaces_keep_apart(workplace: Workplace, second: Workplace) -> None:
    files = [place.write(budget={"trials": 6, "parallel": 2}) for place in (workplace, second)]
    for place, file in zip((workplace, second), files, strict=True):
        place.study(file).mkdir(parents=True)
        (place.study(file) / "katib.json").write_text(json.dumps({"study_id": "twin-0000"}))
    clients = [place.start(file) for place, file in zip((workplace, second), files, strict=True)]
    assert [client.wait(timeout=300) for client in clients] == [0, 0], [client.communicate()[1] for client in clients]
    for place, file in zip((workplace, second), files, strict=True):
        assert [trial.number for trial in place.trials(file)] == list(range(6))
        names = [name for made in experiments(place, file) for name in made["status"]["succeededTrialList"]]
        assert sorted(issue_number(name) or 0 for name in names) == list(range(6))


def test_a_gpu_hours_budget_ends_the_search(workplace: Workplace) -> None:
    file = workplace.write(
        evaluation={"function": "objectives.py:working"}, budget={"trials": 40, "parallel": 2, "gpu_hours": 0.004}
    )
    workplace.succeed(file)
    trials = workplace.trials(file)
    assert 2 <= len(finished(trials)) < 10
    wait_for("the last pods to go", lambda: not running_pods(workplace))
