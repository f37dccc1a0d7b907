"""What a platform file becomes in a compiled pipeline; the golden files in tests/pipelines show the whole."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.errors import SpecError
from tunesmith.pipeline_run.catalog import compile_named
from tunesmith.pipeline_run.platform import load_platform

STEPS = {"prepare-data", "search-model", "train-model", "evaluate-model", "check-model", "export-model"}


def compiled(folder: Path, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the containers' specs and what their pods ask for, by step."""
    (folder / "platform.yaml").write_text(text)
    path = compile_named("tune", folder / "tune.yaml", load_platform(folder / "platform.yaml"))
    pipeline, platform = yaml.safe_load_all(path.read_text())
    containers = {name.removeprefix("exec-"): one["container"] for name, one in pipeline["deploymentSpec"]["executors"].items()}
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return containers, {name.removeprefix("exec-"): one for name, one in pods.items()}


def test_what_stands_at_the_top_is_for_every_step(tmp_path: Path) -> None:
    text = "volumes: [{claim: data, path: /data}]\nnode_selector: {zone: a}\nimage: own:1\nimage_pull_secrets: [registry]\n"
    containers, pods = compiled(tmp_path, text)
    assert set(pods) == STEPS
    for pod in pods.values():
        assert pod["pvcMount"][0]["constant"] == "data"
        assert pod["pvcMount"][0]["mountPath"] == "/data"
        assert pod["nodeSelector"]["labels"] == {"zone": "a"}
        assert pod["imagePullSecret"][0]["secretName"] == "registry"
    assert {container["image"] for container in containers.values()} == {"own:1"}


def test_a_step_has_what_it_asks_for_in_place_of_the_common(tmp_path: Path) -> None:
    text = """
    node_selector: {zone: a}
    steps:
      train-model: {gpu: 2, node_selector: {pool: gpu}, tolerations: [{key: nvidia.com/gpu, operator: Exists}], retries: 1}
    """
    containers, pods = compiled(tmp_path, text)
    accelerator = containers["train-model"]["resources"]["accelerator"]
    assert (accelerator["resourceType"], accelerator["resourceCount"]) == ("nvidia.com/gpu", "2")
    assert pods["train-model"]["nodeSelector"]["labels"] == {"pool": "gpu"}
    assert pods["train-model"]["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    assert "resources" not in containers["evaluate-model"]
    assert pods["evaluate-model"]["nodeSelector"]["labels"] == {"zone": "a"}


def test_kubeflows_own_credentials_are_given_where_they_are_unless_others_are_named(tmp_path: Path) -> None:
    _, pods = compiled(tmp_path, "")
    given = pods["search-model"]["secretAsEnv"]
    assert {one["keyToEnv"][0]["envVar"] for one in given} == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert all(one["optional"] for one in given)
    _, pods = compiled(tmp_path, "secrets: [{name: store, env: {AWS_PROFILE: profile}}]")
    assert [one["secretName"] for one in pods["search-model"]["secretAsEnv"]] == ["store"]
    _, pods = compiled(tmp_path, "secrets: []")
    assert "secretAsEnv" not in pods["search-model"]


MISTAKES = {
    "gpus: 1": "gpus: unknown key; allowed: image, gpu, .*did you mean 'gpu'",
    "steps: {train-model: {gpus: 1}}": "steps.train-model.gpus: unknown key; allowed: image, gpu",
    "volumes: [{claim: data, path: data}]": "volumes.0.path: got 'data'",
    "volumes: [{claim: data, path: /data, read_only: true}]": "volumes.0.read_only: unknown key; allowed: claim, path",
    "memory: 8GB": "memory: got '8GB'",
    "run_as_user: 0": "run_as_user: got 0",
    "- 1": "needs keys with values",
    "secrets: [{name: a}]": "secrets.0.env: is missing",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_the_file_and_the_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "platform.yaml").write_text(text)
    with pytest.raises(SpecError, match=rf"platform\.yaml: .*{MISTAKES[text]}"):
        load_platform(tmp_path / "platform.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.yaml: cannot be read \(No such file"):
        load_platform(tmp_path / "nowhere.yaml")


def test_a_step_that_the_pipeline_has_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        SpecError, match=r"steps\.train_model: is no step of the pipeline; allowed: .*did you mean 'train-model'"
    ):
        compiled(tmp_path, "steps: {train_model: {gpu: 1}}")
