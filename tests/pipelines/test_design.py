"""The pipeline `design`, run by kfp.local's real runner with the smallest settings."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tunesmith.errors import SpecError
from tunesmith.local_pipeline import run_named

SMALL = [
    "trials=2",
    "epochs_per_trial=1",
    "tune_trials=2",
    "final_epochs=2",
    'search_space={"kind": "cells_nasbench201", "stages": 2, "cells": 1, "filters": 8}',
    'search_size={"filters": 4}',
    'objectives=[{"metric": "val_accuracy", "goal": "maximize"}, {"metric": "macs", "goal": "minimize"}]',
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def designed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The summary of a run on digits."""
    return run_named("design", SMALL, tmp_path_factory.mktemp("runs"), Console(file=io.StringIO()))


def test_it_ends_with_a_judged_and_exported_model_of_the_final_size(designed: dict[str, Any]) -> None:
    outputs = {name: Path(path) for name, path in designed["outputs"].items()}
    assert designed["status"] == "succeeded"
    assert {"study", "tuned", "model", "evaluation", "exports", "report", "architecture", "drawing"} <= outputs.keys()
    model = json.loads((outputs["model"] / "model.json").read_text())
    architecture = json.loads((outputs["model"] / "architecture.json").read_text())
    assert architecture["space"]["filters"] == 8
    assert architecture["space"]["cell"] == designed["best"]["candidate"]
    assert set(model["candidate"]) == {"dropout", "learning_rate", "batch_size"}


def test_the_report_and_the_step_s_own_page_draw_the_cell(designed: dict[str, Any]) -> None:
    for name in ("report", "architecture"):
        text = Path(designed["outputs"][name]).read_text()
        assert "normal cell" in text
        assert "previous cell" in text


def test_the_steps_tell_kubeflow_how_the_searches_went(designed: dict[str, Any]) -> None:
    run = Path(designed["outputs"]["model"]).parent
    told = {path.parent.name: json.loads(path.read_text()) for path in run.glob("steps/*/*/executor_output.json")}
    for step in ("search-architecture", "tune-training"):
        assert told[step]["artifacts"]["metrics"]["artifacts"][0]["metadata"]["trials"] == 2


def test_a_mistake_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"search_size\.depth: is no size"):
        run_named("design", ['search_size={"depth": 3}'], tmp_path, Console(file=io.StringIO()))
    with pytest.raises(SpecError, match=r"tune_trials: space\.kind 'layers' has no training"):
        run_named(
            "design",
            ['search_space={"kind": "layers"}', "search_size={}", "tune_trials=2"],
            tmp_path,
            Console(file=io.StringIO()),
        )
