"""The pipeline `tune`, run by kfp.local's real runner with the smallest settings."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tunesmith.errors import GateFailed
from tunesmith.local_pipeline import run_named

SMALL = [
    "trials=2",
    "epochs_per_trial=2",
    'search_space={"kind": "layers", "convs": [1, 1], "dense": [1, 1], "filters": 8, "units": 16, "batch_size": 64}',
]
COUNTED = ("trials", "failed", "stopped")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The summary of a run on digits."""
    runs = tmp_path_factory.mktemp("runs")
    return run_named("tune", [*SMALL, "min_test_accuracy=0.01"], runs, Console(file=io.StringIO()))


@pytest.fixture(scope="module")
def steps(digits: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each step told Kubeflow, by the step's name."""
    return told(Path(digits["outputs"]["model"]).parent)


def told(run: Path) -> dict[str, dict[str, Any]]:
    return {path.parent.name: json.loads(path.read_text()) for path in run.glob("steps/*/*/executor_output.json")}


def artifact(step: dict[str, Any], name: str) -> dict[str, Any]:
    return step["artifacts"][name]["artifacts"][0]["metadata"]


def test_the_summary_tells_how_good_the_model_is(digits: dict[str, Any]) -> None:
    assert digits["status"] == "succeeded"
    assert digits["gate"] == "passed"
    low, high = digits["test_intervals"]["accuracy"]
    assert low <= digits["test_accuracy"] <= high
    assert [digits[name] for name in COUNTED] == [2, 0, 0]
    assert digits["best"]["metrics"]["val_accuracy"] == digits["value"]


def test_every_output_is_where_the_summary_says(digits: dict[str, Any]) -> None:
    outputs = {name: Path(path) for name, path in digits["outputs"].items()}
    expected = {"dataset", "study", "leaderboard", "model", "drawing", "evaluation", "exports", "report"}
    assert expected <= outputs.keys()
    assert (outputs["model"] / "model.keras").is_file()
    assert (outputs["study"] / "study.db").is_file()
    assert (outputs["exports"] / "saved_model").is_dir()
    assert (outputs["exports"] / "onnx").is_dir()
    assert "<svg" in outputs["drawing"].read_text()
    assert outputs["report"].suffix == ".html"


def test_the_report_holds_the_whole_run(digits: dict[str, Any]) -> None:
    text = Path(digits["outputs"]["report"]).read_text()
    for part in ("leaderboard", "evaluation", "exports", "winner", "data"):
        assert f'id="{part}"' in text


def test_kubeflow_is_told_of_figures_and_confusions(steps: dict[str, dict[str, Any]], digits: dict[str, Any]) -> None:
    assert artifact(steps["search-model"], "metrics")["trials"] == 2
    assert artifact(steps["evaluate-model"], "metrics")["test_accuracy"] == digits["test_accuracy"]
    matrix = artifact(steps["evaluate-model"], "classification")["confusionMatrix"]
    assert len(matrix["rows"]) == 10
    assert steps["check-model"]["parameterValues"] == {"Output": "passed"}
    assert artifact(steps["train-model"], "model")["framework"] == "keras"
    assert artifact(steps["export-model"], "exports")["onnx_bytes"] > 0
    fingerprint = artifact(steps["prepare-data"], "dataset")["fingerprint"]
    assert steps["prepare-data"]["parameterValues"] == {"Output": fingerprint}


def test_a_table_that_teaches_nothing_fails_its_gate_with_the_figures(tmp_path: Path) -> None:
    draw = random.Random(0)
    rows = [f"{draw.random():.3f},{draw.choice(['red', 'green'])},{draw.choice(['yes', 'no'])}" for _ in range(200)]
    (tmp_path / "coins.csv").write_text("\n".join(["size,colour,answer", *rows]) + "\n")
    texts = ["trials=1", "epochs_per_trial=1", 'search_space={"kind": "layers", "units": 8}', "min_test_accuracy=0.95"]
    texts += [f"data_uri={tmp_path / 'coins.csv'}", "target_column=answer", "parallel_trials=1"]
    with pytest.raises(GateFailed, match=r"accuracy 0\.\d+ is below min_accuracy 0\.95 .* on 40 test examples"):
        run_named("tune", texts, tmp_path / "runs", Console(file=io.StringIO()))
    summary = json.loads((tmp_path / "runs" / "latest" / "summary.json").read_text())
    assert (summary["status"], summary["gate"]) == ("gate failed", "failed")
    assert summary["test_accuracy"] < 0.95
    assert "exports" not in summary["outputs"]
    assert list(summary["steps"])[-2:] == ["evaluate-model", "check-model"]
    # A step tells Kubeflow of what it made only where it succeeds.
    judged = told(tmp_path / "runs" / "latest")["evaluate-model"]
    assert artifact(judged, "metrics")["test_accuracy"] == summary["test_accuracy"]
    assert len(artifact(judged, "classification")["confusionMatrix"]["rows"]) == 2
    assert 'id="evaluation"' in Path(summary["outputs"]["report"]).read_text()
