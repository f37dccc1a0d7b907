"""The pipeline `design`, run by kfp.local's real runner with the smallest settings."""

import html
import io
import json
import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tunesmith.errors import SpecError
from tunesmith.local_pipeline import run_named

TRIALS = 12
ROOT = Path(__file__).parents[2]
SMALL = [
    f"trials={TRIALS}",
    "epochs_per_trial=1",
    "tune_trials=2",
    "final_epochs=2",
    "constraints=[]",
    'search_space={"kind": "cells_nasbench201", "stages": 2, "cells": 1, "filters": 8}',
    'search_size={"filters": 4}',
]

# The trials are few and small, but beside other work each of the many steps takes its time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def settings_of_make() -> list[str]:
    """Return what `make run-nas` asks of the pipeline, as NAME=VALUE."""
    told = subprocess.run(["make", "--dry-run", "run-nas"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = shlex.split(told[told.index("pipeline run design") :])
    return [value for option, value in pairwise(words) if option == "--set"]


@pytest.fixture(scope="module")
def designed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The summary of `make run-nas`, but for its size."""
    return run_named("design", [*settings_of_make(), *SMALL], tmp_path_factory.mktemp("runs"), Console(file=io.StringIO()))


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


def test_the_report_draws_the_front_the_strategys_foresight_and_what_the_comparison_is_worth(designed: dict[str, Any]) -> None:
    text = Path(designed["outputs"]["report"]).read_text()
    assert {"front", "foresight", "fidelity"} <= set(re.findall(r'<section id="(\w+)"', text))
    for cost in ("latency_onnx_ms", "parameters"):
        assert f"val_accuracy against {cost}, with the Pareto front" in text
    assert "rank correlation of the model's expectations with the trials that came next" in html.unescape(text)
    assert "4 trials, from the worst to the best, were trained in full (2 epochs)" in text


def test_the_winner_of_the_search_by_default_is_an_accurate_one() -> None:
    assert 'constraints=["val_accuracy >= 0.9"]' in settings_of_make()


def test_the_steps_tell_kubeflow_how_the_searches_went(designed: dict[str, Any]) -> None:
    run = Path(designed["outputs"]["model"]).parent
    told = {path.parent.name: json.loads(path.read_text()) for path in run.glob("steps/*/*/executor_output.json")}
    for step, trials in (("search-architecture", TRIALS), ("tune-training", 2)):
        assert told[step]["artifacts"]["metrics"]["artifacts"][0]["metadata"]["trials"] == trials


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
