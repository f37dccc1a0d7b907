"""Holds the compiled pipelines against the files in golden/. After an intended change: TUNESMITH_GOLDEN=write pytest THIS."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

# pyright: reportMissingImports=false
# (tunesmith.pipelines is the folder pipelines/, mapped by setuptools' package-dir, which pyright does not read)
from tunesmith import pipelines
from tunesmith.pipeline_run.arguments import PLACES
from tunesmith.pipeline_run.catalog import compile_named
from tunesmith.pipeline_run.platform import load_platform
from tunesmith.sections import EvaluationSpec

GOLDEN = Path(__file__).parent / "golden"
EXAMPLE = Path(__file__).parents[2] / "examples" / "pipelines" / "platform.yaml"
PIPELINES = sorted(module.name for module in pkgutil.iter_modules(pipelines.__path__))


def documents(name: str) -> list[dict[str, Any]]:
    """Return the pipeline, and what its steps ask of Kubernetes."""
    return list(yaml.safe_load_all((GOLDEN / f"{name}.yaml").read_text()))


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_compiles_to_its_golden_file(name: str, tmp_path: Path) -> None:
    golden = GOLDEN / f"{name}.yaml"
    if os.environ.get("TUNESMITH_GOLDEN") == "write":
        compile_named(name, golden)
    assert compile_named(name, tmp_path / "compiled.yaml").read_text() == golden.read_text()


def test_the_platform_of_the_examples_compiles_to_its_golden_file(tmp_path: Path) -> None:
    platform, golden = load_platform(EXAMPLE), GOLDEN / "tune-on-gpus.yaml"
    if os.environ.get("TUNESMITH_GOLDEN") == "write":
        compile_named("tune", golden, platform)
    assert compile_named("tune", tmp_path / "compiled.yaml", platform).read_text() == golden.read_text()


@pytest.mark.parametrize("name", [*PIPELINES, "tune-on-gpus"])
def test_every_step_runs_as_a_user_that_is_not_root(name: str) -> None:
    pipeline, platform = documents(name)
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert placed.keys() == pipeline["deploymentSpec"]["executors"].keys()
    for asked in placed.values():
        assert asked["securityContext"] == {"runAsNonRoot": True, "runAsUser": "65532"}


def test_another_process_compiles_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "tune.yaml"
    command = [sys.executable, "-m", "tunesmith", "pipeline", "compile", "tune", "--output", str(path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert path.read_text() == (GOLDEN / "tune.yaml").read_text()


@pytest.mark.parametrize("name", PIPELINES)
def test_every_parameter_is_described_and_has_a_default(name: str) -> None:
    root = documents(name)[0]["root"]
    for parameter, given in root["inputDefinitions"]["parameters"].items():
        assert given.get("description"), parameter
        assert "defaultValue" in given, parameter


def test_the_search_of_an_architecture_may_cost_less_by_every_means_that_a_search_file_has() -> None:
    means = set(EvaluationSpec.model_fields) - {"kind", "function", "sha256"}
    places = {place.split(".")[1]: name for name, place in PLACES.items() if place.startswith("evaluation.")}
    assert means == places.keys()
    given = documents("design")[0]["root"]
    handed = given["dag"]["tasks"]["search-architecture"]["inputs"]["parameters"]
    for name in places.values():
        assert name in given["inputDefinitions"]["parameters"]
        assert handed[name] == {"componentInputParameter": name}


def test_the_figures_of_a_model_that_is_not_good_enough_are_kept_and_nothing_is_exported() -> None:
    tasks = documents("tune")[0]["root"]["dag"]["tasks"]
    limits = {"min_accuracy": "min_test_accuracy", "min_r2": "min_test_r2"}
    assert "parameters" not in tasks["evaluate-model"]["inputs"], "Kubeflow keeps no artifact of a step that fails"
    asked = tasks["check-model"]["inputs"]["parameters"]
    assert {name: given["componentInputParameter"] for name, given in asked.items()} == limits
    assert tasks["check-model"]["dependentTasks"] == ["evaluate-model"]
    assert "check-model" in tasks["export-model"]["dependentTasks"]


def test_data_is_read_anew_in_every_run_and_its_fingerprint_keys_the_search() -> None:
    tasks = documents("tune")[0]["root"]["dag"]["tasks"]
    assert not tasks["prepare-data"]["cachingOptions"].get("enableCache")
    assert tasks["search-model"]["cachingOptions"]["enableCache"]
    fingerprint = tasks["search-model"]["inputs"]["parameters"]["dataset_fingerprint"]
    assert fingerprint["taskOutputParameter"] == {"outputParameterKey": "Output", "producerTask": "prepare-data"}


def test_a_retraining_reads_the_data_and_the_model_in_use_anew_and_promotes_for_real() -> None:
    pipeline = documents("retrain")[0]
    tasks = pipeline["root"]["dag"]["tasks"]
    for step in ("prepare-data", "load-champion"):
        assert not tasks[step]["cachingOptions"].get("enableCache"), step
    (condition,) = (task for task in tasks.values() if "triggerPolicy" in task)
    inner = pipeline["components"][condition["componentRef"]["name"]]["dag"]["tasks"]
    assert set(inner) == {"export-model", "promote-model"}
    assert not inner["promote-model"]["cachingOptions"].get("enableCache")
    assert "check-model" in tasks["compare-models"]["dependentTasks"], "a model below its gate is never promoted"
