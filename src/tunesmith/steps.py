"""What the pipelines' steps do: one function for each component, which turns what it returns into metadata of artifacts."""

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.evaluate import Evaluation, check_gate, evaluate
from tunesmith.files import write_json, write_text
from tunesmith.pipeline_run.arguments import data_spec, search_spec
from tunesmith.pipeline_run.local_step import pace, place_of_study, step, step_console
from tunesmith.progress import ConsoleProgress
from tunesmith.record import CHANGEABLE
from tunesmith.search import search
from tunesmith.spec import Spec
from tunesmith.study import Objective

# The pipeline's parameters by which a data set was prepared, kept in its folder for the search's record.
ARGUMENTS = "arguments.json"


@step
def prepare_step(dataset: Path, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare the data that the pipeline's `arguments` name into the folder `dataset`; returns what describes it."""
    from tunesmith.data.prepare import prepare

    info = prepare(data_spec(arguments), dataset)
    write_json(dataset / ARGUMENTS, dict(arguments))
    sizes = ", ".join(f"{count} {split}" for split, count in info.sizes.items())
    step_console().print(f"{info.kind}, {info.task}, {sizes}", highlight=False)
    described = {"kind": info.kind, "task": info.task, "fingerprint": info.fingerprint, "source": info.source}
    return {**described, **{f"{split}_examples": count for split, count in info.sizes.items()}}


@step
def search_step(dataset: Path, study: Path, report: Path, leaderboard: Path, arguments: Mapping[str, Any]) -> dict[str, float]:
    """Search as the pipeline's `arguments` ask on a prepared data set, into the folder `study`; returns the search's figures.

    The files `report` (HTML) and `leaderboard` (Markdown) show the study. A local run that was interrupted goes on here.
    """
    from tunesmith.report.collect import collect
    from tunesmith.report.html import render_html
    from tunesmith.report.markdown import render_markdown

    info = DatasetInfo.load(dataset)
    spec = search_spec({**_data_arguments(dataset, info), **arguments})
    folder = place_of_study(study, study_key(spec, info))
    outcome = search(spec, folder, dataset, ConsoleProgress(step_console(), pace()))
    content = collect(folder, dataset)
    write_text(report, render_html(content))
    write_text(leaderboard, render_markdown(content))
    counts = {"trials": outcome.trials, "failed_trials": outcome.failed, "stopped_trials": outcome.stopped}
    return finite({f"best_{outcome.objective.metric}": outcome.value, **counts, "search_seconds": outcome.seconds})


@step
def train_step(study: Path, dataset: Path, model: Path, drawing: Path, refit: bool) -> dict[str, Any]:
    """Train a study's winner into the folder `model`, draw its network to the file `drawing`; returns what describes it."""
    from tunesmith.report.network import draw_network
    from tunesmith.train import train

    winner = train(study, dataset, model, refit, _EpochLines())
    network = json.loads((model / "network.json").read_text())
    write_text(drawing, _page("The winning network", draw_network(network)))
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
        self.console.print(f"epoch {epoch}  {_figures(metrics)}", highlight=False)


@step
def evaluate_step(model: Path, dataset: Path, study: Path | None, evaluation: Path, report: Path) -> Evaluation:
    """Judge a model on the test split, into the folder `evaluation`, and show it in the file `report`."""
    from tunesmith.report.collect import collect
    from tunesmith.report.content import ReportContent
    from tunesmith.report.html import render_html

    judged = evaluate(model, dataset, evaluation)
    step_console().print(f"on the test split: {_figures(judged.figures.metrics)}", highlight=False)
    plain = ReportContent(dataset.name, {}, Objective("val_loss"), evaluation=judged.to_json())
    write_text(report, render_html(collect(study, dataset, model, evaluation) if study else plain))
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


def _figures(metrics: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Leave out NaN and infinities: Kubeflow fails the whole pipeline over one of them."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _data_arguments(dataset: Path, info: DatasetInfo) -> dict[str, Any]:
    """Return how a data set was prepared; of one prepared elsewhere only its source and task are known."""
    path = dataset / ARGUMENTS
    return json.loads(path.read_text()) if path.exists() else {"data_uri": info.source, "task": info.task}


def study_key(spec: Spec, info: DatasetInfo) -> str:
    """Return the name of a study: the same for the same search on the same data, whatever its budget."""
    content = {name: value for name, value in spec.to_json().items() if name not in CHANGEABLE}
    return hashlib.sha256(json.dumps([content, info.fingerprint], sort_keys=True).encode()).hexdigest()[:12]


def _page(title: str, body: str) -> str:
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return f'<!doctype html>\n<html lang="en">{head}<body>\n{body}\n</body></html>\n'
