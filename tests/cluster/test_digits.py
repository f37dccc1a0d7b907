"""The whole chain with its trials on a cluster: searched on Katib with simulated GPUs, trained, judged, exported, reported."""

import json
from typing import Any

import pytest

from tests.cluster.searches import Workplace, finished

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

DIGITS: dict[str, Any] = {
    "data": {"uri": "digits"},
    "space": {"kind": "layers", "convs": [1, 2], "dense": [1, 2], "filters": {"logint": [8, 16]}},
    "strategy": {"name": "tpe", "seed": 0},
    "scheduler": {"name": "median", "trials": 2, "steps": 2},
    "objectives": [{"metric": "val_accuracy", "goal": "maximize"}],
    "evaluation": {"kind": "training", "function": None, "epochs": 3},
    "budget": {"trials": 5, "parallel": 2},
    "resources": {"gpu": 1, "cpu": 0.5, "memory": "1Gi"},
}


def test_digits_are_searched_on_gpus_trained_exported_and_reported(workplace: Workplace) -> None:
    file = workplace.write(**DIGITS)
    summary = workplace.succeed(file)
    trials = workplace.trials(file)
    assert len(trials) == 5
    best = max(finished(trials), key=lambda trial: trial.metrics["val_accuracy"])
    assert summary["best"]["trial"] == best.number
    assert summary["test_accuracy"] > 0.5
    run = workplace.folder / "runs" / file.stem
    assert {path.name for path in (run / "exports").iterdir() if path.is_dir()} >= {"saved_model", "onnx"}
    report = (run / "report.html").read_text()
    assert "val_accuracy" in report
    network = json.loads((run / "model" / "network.json").read_text())
    assert network
    assert (workplace.study(file) / "trials" / str(best.number) / "model.keras").is_file()
    assert all(trial.facts["gpu_seconds"] > 0 and trial.facts["epochs"] >= 1 for trial in finished(trials))
