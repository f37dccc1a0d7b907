"""Holds the compiled pipelines against the files in golden/. After an intended change: TUNESMITH_GOLDEN=write pytest THIS."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

# pyright: reportMissingImports=false
# (tunesmith.pipelines is the folder pipelines/, mapped by setuptools' package-dir, which pyright does not read)
from tunesmith import pipelines
from tunesmith.local_pipeline import compile_named

GOLDEN = Path(__file__).parent / "golden"
PIPELINES = sorted(module.name for module in pkgutil.iter_modules(pipelines.__path__))


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_compiles_to_its_golden_file(name: str, tmp_path: Path) -> None:
    golden = GOLDEN / f"{name}.yaml"
    if os.environ.get("TUNESMITH_GOLDEN") == "write":
        compile_named(name, golden)
    assert compile_named(name, tmp_path / "compiled.yaml").read_text() == golden.read_text()


def test_another_process_compiles_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "tune.yaml"
    command = [sys.executable, "-m", "tunesmith", "pipeline", "compile", "tune", "--output", str(path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert path.read_text() == (GOLDEN / "tune.yaml").read_text()


@pytest.mark.parametrize("name", PIPELINES)
def test_every_parameter_is_described_and_has_a_default(name: str) -> None:
    root = yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())["root"]
    for parameter, given in root["inputDefinitions"]["parameters"].items():
        assert given.get("description"), parameter
        assert "defaultValue" in given, parameter


def test_the_figures_of_a_model_that_is_not_good_enough_are_kept_and_nothing_is_exported() -> None:
    tasks = yaml.safe_load((GOLDEN / "tune.yaml").read_text())["root"]["dag"]["tasks"]
    limits = {"min_accuracy": "min_test_accuracy", "min_r2": "min_test_r2"}
    assert "parameters" not in tasks["evaluate-model"]["inputs"], "Kubeflow keeps no artifact of a step that fails"
    asked = tasks["check-model"]["inputs"]["parameters"]
    assert {name: given["componentInputParameter"] for name, given in asked.items()} == limits
    assert tasks["check-model"]["dependentTasks"] == ["evaluate-model"]
    assert "check-model" in tasks["export-model"]["dependentTasks"]


def test_data_is_read_anew_in_every_run_and_its_fingerprint_keys_the_search() -> None:
    tasks = yaml.safe_load((GOLDEN / "tune.yaml").read_text())["root"]["dag"]["tasks"]
    assert not tasks["prepare-data"]["cachingOptions"].get("enableCache")
    assert tasks["search-model"]["cachingOptions"]["enableCache"]
    fingerprint = tasks["search-model"]["inputs"]["parameters"]["dataset_fingerprint"]
    assert fingerprint["taskOutputParameter"] == {"outputParameterKey": "Output", "producerTask": "prepare-data"}
