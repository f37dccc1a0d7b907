"""The whole chain on one machine: prepare, search, train, evaluate, export, report."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from tunesmith.errors import StudyError
from tunesmith.files import write_text
from tunesmith.progress import ConsoleProgress
from tunesmith.quiet import import_keras
from tunesmith.search import search
from tunesmith.spec import Spec
from tunesmith.summary import make_summary, save_summary, study_folder


def run_chain(spec: Spec, folder: Path, console: Console, refit: bool = True) -> dict[str, Any]:
    """Run a search and all that follows from it in `folder`; return the summary, which is also `summary.json` there.

    A search of a function ends with its report: there is no model to train.
    """
    started = time.monotonic()
    trains = spec.file.evaluation.kind == "training"
    dataset = _prepare(spec, folder, console) if trains else None
    outcome = search(spec, folder / "study", dataset, ConsoleProgress(console))
    outputs = {"study": folder / "study"}
    evaluation = None
    if dataset is not None:
        evaluation = _train_and_judge(folder, dataset, refit, console)
        outputs |= {"model": folder / "model", "exports": folder / "exports"}
    outputs["report"] = write_report(folder)
    summary = make_summary(outcome.to_json(), evaluation, time.monotonic() - started, outputs)
    save_summary(summary, folder)
    return summary


def _prepare(spec: Spec, folder: Path, console: Console) -> Path:
    from tunesmith.data.prepare import prepare

    assert spec.file.data is not None
    console.print(f"prepare {spec.file.data.uri}")
    info = prepare(spec.file.data, folder / "dataset", spec.folder)
    sizes = ", ".join(f"{count} {split}" for split, count in info.sizes.items())
    console.print(f"        {info.kind}, {info.task}, {sizes}", highlight=False)
    for column, reason in info.statistics.get("dropped", {}).items():
        console.print(f"        column {column!r} is left out: {reason}", highlight=False)
    for warning in info.statistics.get("warnings", []):
        console.print(f"        {warning}", style="yellow", highlight=False)
    return folder / "dataset"


def _train_and_judge(folder: Path, dataset: Path, refit: bool, console: Console) -> dict[str, Any]:
    from tunesmith.evaluate import evaluate
    from tunesmith.train import train

    import_keras()
    console.print("train   the winner" + (" on train + validation" if refit else ": its trial's own model"))
    train(folder / "study", dataset, folder / "model", refit)
    console.print("judge   on the test split")
    evaluation = evaluate(folder / "model", dataset, folder / "evaluation")
    console.print("export  and compare")
    export_run(folder, ())
    return evaluation.to_json()


def export_run(folder: Path, formats: Sequence[str], output: Path | None = None) -> list[dict[str, Any]]:
    """Export the model of a run's folder; no formats means all. Returns the records, paths included."""
    from tunesmith.export import export

    import_keras()
    if not (folder / "model").is_dir():
        raise StudyError(f"{folder}: has no trained model (no folder 'model'); run the search to its end first")
    dataset = folder / "dataset"
    target = output or folder / "exports"
    chosen: dict[str, Any] = {"formats": tuple(formats)} if formats else {}
    records = export(folder / "model", target, dataset_folder=dataset if dataset.is_dir() else None, **chosen)
    return [{**asdict(record), "path": str(target / record.format)} for record in records]


def write_report(folder: Path, output: Path | None = None) -> Path:
    """Write the HTML report of a run's or study's folder; return its path."""
    from tunesmith.report.collect import collect
    from tunesmith.report.html import render_html

    study = study_folder(folder)
    run = study.parent if study.name == "study" else study
    parts = {name: run / name for name in ("dataset", "model", "evaluation", "exports")}
    path = output or folder / "report.html"
    write_text(path, render_html(collect(study, **{name: part if part.is_dir() else None for name, part in parts.items()})))
    return path
