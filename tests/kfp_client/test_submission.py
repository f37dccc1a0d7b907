import pytest

from tests.kfp_client.backend import State
from tunesmith.errors import ClusterError, SpecError
from tunesmith.kfp_client.connection import Backend
from tunesmith.kfp_client.submission import Order, submit
from tunesmith.pipeline_run.platform import Platform, StepSpec

SMALL = ["trials=2", "search_space={kind: layers, dense: [1, 2]}"]


def order(*texts: str, **rest: object) -> Order:
    return Order.read("tune", [*SMALL, *texts], Platform(), **rest)


def test_a_run_is_started_with_its_arguments_and_both_documents(state: State, backend: Backend) -> None:
    run_id = submit(backend, order("engine=katib", "cluster={namespace: lab}", experiment="digits"), "first")
    (run,) = state.runs
    assert (run["run_id"], run["display_name"]) == (run_id, "first")
    assert run["runtime_config"]["parameters"]["trials"] == 2
    assert run["runtime_config"]["parameters"]["cluster"] == {"namespace": "lab"}
    assert run["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "tune"
    placed = run["pipeline_spec"]["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert placed["exec-train-model"]["securityContext"]["runAsNonRoot"] is True
    assert state.experiments[0]["display_name"] == "digits"
    assert run["experiment_id"] == state.experiments[0]["experiment_id"]


def test_an_experiment_that_is_there_is_used_again(state: State, backend: Backend) -> None:
    submit(backend, order())
    submit(backend, order())
    assert [experiment["display_name"] for experiment in state.experiments] == ["Default"]


def test_what_the_steps_ask_of_the_cluster_goes_with_the_run(state: State, backend: Backend) -> None:
    platform = Platform(steps={"train-model": StepSpec(gpu=1)})
    submit(backend, Order.read("tune", SMALL, platform, service_account="trainer"))
    (run,) = state.runs
    container = run["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"]["exec-train-model"]["container"]
    assert container["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert run["service_account"] == "trainer"


def test_without_the_cache_every_step_runs_and_with_it_none_that_must_not(state: State, backend: Backend) -> None:
    for caching in (True, False):
        submit(backend, order(caching=caching))
    cached, anew = ({name: task.get("cachingOptions", {}) for name, task in tasks_of(run).items()} for run in state.runs)
    assert cached["search-model"] == {"enableCache": True}
    assert not cached["prepare-data"].get("enableCache")
    assert not any(options.get("enableCache") for options in anew.values())


def tasks_of(run: dict) -> dict:
    return run["pipeline_spec"]["pipeline_spec"]["root"]["dag"]["tasks"]


@pytest.mark.parametrize("text", ["data_uri=adult.csv", "data_uri=./data/adult.csv", "data_uri=data/adult"])
def test_a_file_of_this_machine_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"data_uri: got '.*'; a pod cannot see this machine's files"):
        order(text)


@pytest.mark.parametrize("text", ["data_uri=s3://bucket/adult.csv", "data_uri=/data/adult.csv", "data_uri=digits"])
def test_what_a_pod_can_reach_is_not(text: str) -> None:
    assert order(text).arguments["data_uri"] in text


def test_a_registry_must_be_reachable_too() -> None:
    with pytest.raises(SpecError, match="registry_uri: got 'models'"):
        Order.read("retrain", ["registry_uri=models"], Platform())
    with pytest.raises(SpecError, match="registry_uri: is missing"):
        Order.read("retrain", [], Platform())


@pytest.mark.parametrize(
    ("texts", "words"),
    [(["trials=0"], "trials: got 0"), (["engine=spark"], "engine: 'spark' is unknown; allowed: local, katib")],
)
def test_mistakes_are_told_before_anything_is_sent(texts: list[str], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        order(*texts)


def test_what_the_backend_finds_wrong_is_told(state: State, backend: Backend) -> None:
    state.troubles = [(400, "Invalid input error: unknown template format")]
    with pytest.raises(ClusterError, match=r"\(400\): Invalid input error: unknown template format"):
        submit(backend, order())
