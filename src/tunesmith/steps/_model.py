"""The steps that train, judge, check and export a model."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.evaluate import Evaluation, check_gate, evaluate
from tunesmith.files import write_text
from tunesmith.pipeline_run.local_step import pace, step, step_console, tell_figures
from tunesmith.steps._figures import finite, in_words, page
from tunesmith.study import Objective


@step
def train_step(study: Path, dataset: Path, model: Path, drawing: Path, refit: bool, epochs: int = 0) -> dict[str, Any]:
    """Train a study's winner into the folder `model`, draw its network to the file `drawing`; returns what describes it.

    epochs: of a refit; 0: those that were best in the winner's trial.
    """
    from tunesmith.report.network import draw_network
    from tunesmith.train import train

    winner = train(study, dataset, model, refit, _EpochLines(), epochs or None)
    network = json.loads((model / "network.json").read_text())
    write_text(drawing, page("The winning network", draw_network(network)))
    figures = {f"trial_{name}": value for name, value in winner.metrics.items()}
    return {"parameters": winner.parameters, "epochs": winner.epochs, **finite(figures)}


class _EpochLines:
    """Shows the epochs of a training, no faster than the step's pace."""

    def __init__(self) -> None:
        self.console, self.last = step_console(), -math.inf

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> None:
        if time.monotonic() - self.last < pace():
            return
        self.last = time.monotonic()
        self.console.print(f"epoch {epoch}  {in_words(metrics)}", highlight=False)


@step
def evaluate_step(model: Path, dataset: Path, study: Path | None, evaluation: Path, report: Path) -> Evaluation:
    """Judge a model on the test split, into the folder `evaluation`, and show it in the file `report`."""
    from tunesmith.report.collect import collect
    from tunesmith.report.content import ReportContent
    from tunesmith.report.html import render_html

    judged = evaluate(model, dataset, evaluation)
    step_console().print(f"on the test split: {in_words(judged.figures.metrics)}", highlight=False)
    plain = ReportContent(dataset.name, {}, Objective("val_loss"), evaluation=judged.to_json())
    write_text(report, render_html(collect(study, dataset, model, evaluation) if study else plain))
    tell_figures("evaluate-model", {f"test_{name}": value for name, value in judged.figures.metrics.items()})
    return judged


@step
def check_step(evaluation: Path, min_accuracy: float, min_r2: float) -> str:
    """Raise GateFailed where the model judged in the folder `evaluation` is below a limit; a limit of 0 asks nothing.

    Returns what became of the limits: passed, or off where none was set.
    """
    check_gate(Evaluation.load(evaluation), min_accuracy or None, min_r2 or None)
    return "passed" if min_accuracy or min_r2 else "off"


@step
def export_step(
    model: Path, dataset: Path, study: Path, evaluation: Path, exports: Path, report: Path, formats: Sequence[str]
) -> dict[str, Any]:
    """Export a model into the folder `exports`, write the final report to the file `report`; returns figures by format."""
    from tunesmith.export import export
    from tunesmith.report.collect import collect
    from tunesmith.report.html import render_html

    records = export(model, exports, formats, dataset)
    write_text(report, render_html(collect(study, dataset, model, evaluation, exports)))
    figures = {}
    for record in records:
        figures |= {f"{record.format}_bytes": record.size, f"{record.format}_difference": record.difference}
        figures |= {f"{record.format}_milliseconds": record.latency.median_ms}
    return finite(figures)
