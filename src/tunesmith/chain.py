"""The whole chain on one machine: prepare, search, train, evaluate, export, report."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import DataError, GateFailed, SpecError, StudyError
from tunesmith.files import disk_errors, write_text
from tunesmith.progress import ConsoleProgress
from tunesmith.quiet import import_keras
from tunesmith.record import refuse_other_study
from tunesmith.search import check_engine, search, study_content
from tunesmith.spec import Spec
from tunesmith.summary import make_summary, print_summary, save_summary, study_folder

if TYPE_CHECKING:
    from tunesmith.evaluate import Evaluation


def run_chain(spec: Spec, folder: Path, console: Console, refit: bool = True, engine: str = "local") -> dict[str, Any]:
    """Run a search and all that follows from it in `folder`; return the summary, which is also `summary.json` there.

    A search of a function ends with its report: there is no model to train. Raises GateFailed, with all outputs written,
    where the model misses the spec's gate.
    """
    started = time.monotonic()
    check_engine(engine, spec)
    trains = spec.file.evaluation.kind == "training"
    if trains:
        from tunesmith.train import check_refit

        check_refit(spec, refit)
    dataset = _prepare(spec, folder, console) if trains else None
    outcome = search(spec, folder / "study", dataset, ConsoleProgress(console), engine)
    outputs = {"study": folder / "study"}
    evaluation = None
    if dataset is not None:
        evaluation = _train_and_judge(spec, folder, dataset, refit, console, engine)
        outputs |= {"model": folder / "model", "exports": folder / "exports"}
    outputs["report"] = write_report(folder)
    missed = _missed(spec, evaluation) if evaluation else None
    judged = evaluation.to_json() if evaluation else None
    summary = make_summary(outcome.to_json(), judged, time.monotonic() - started, outputs)
    summary["gate"] = "failed" if missed else "passed" if spec.file.gate else "off"
    save_summary(summary, folder)
    if missed:
        print_summary(summary, console)
        raise missed
    return summary


def _missed(spec: Spec, evaluation: "Evaluation") -> GateFailed | None:
    """Return the error of a model that misses the spec's gate, None for one that passes."""
    from tunesmith.evaluate import check_gate

    try:
        check_gate(evaluation, **(spec.file.gate.model_dump() if spec.file.gate else {}))
    except GateFailed as error:
        return error
    return None


def _prepare(spec: Spec, folder: Path, console: Console) -> Path:
    """Prepare the data in `folder`; those of a study there stay as they are, and data of another study are refused."""
    from tunesmith.data.prepare import prepare

    assert spec.file.data is not None
    console.print(f"prepare {spec.file.data.uri}")
    dataset = folder / "dataset"
    with disk_errors(folder), _made(folder), tempfile.TemporaryDirectory(prefix=".dataset.", dir=folder) as temporary:
        info = prepare(spec.file.data, Path(temporary) / "dataset", spec.folder)
        refuse_other_study(folder / "study", study_content(spec.for_data(info), info.fingerprint))
        if not _holds(dataset, info.fingerprint):
            shutil.rmtree(dataset, ignore_errors=True)
            os.replace(Path(temporary) / "dataset", dataset)
    _tell(info, console)
    return dataset


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the folder and its parents; those that were new and are empty go again where the block fails."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in new:
            with suppress(OSError):
                path.rmdir()
        raise


def _holds(folder: Path, fingerprint: str) -> bool:
    try:
        return DatasetInfo.load(folder).fingerprint == fingerprint
    except DataError:
        return False


def _tell(info: DatasetInfo, console: Console) -> None:
    """Print what the data are, and what was made of them."""
    sizes = ", ".join(f"{count} {split}" for split, count in info.sizes.items())
    console.print(f"        {info.kind}, {info.task}, {sizes}", highlight=False)
    for column, reason in info.statistics.get("dropped", {}).items():
        console.print(f"        column {column!r} is left out: {reason}", highlight=False)
    for warning in info.statistics.get("warnings", []):
        console.print(f"        {warning}", style="yellow", highlight=False)


def _train_and_judge(spec: Spec, folder: Path, dataset: Path, refit: bool, console: Console, engine: str) -> "Evaluation":
    from tunesmith.evaluate import evaluate
    from tunesmith.fidelity import keep_fidelity
    from tunesmith.train import train
    from tunesmith.tuning import tune

    study, final = folder / "study", spec.file.final
    if final.fidelity:
        import_keras()
        console.print("measure how far the trials foretell a full training")
        keep_fidelity(study, dataset, lambda text: console.print(f"        {text}", highlight=False))
    if final.tune:
        console.print("tune    how the winner is trained")
        tune(study, dataset, folder / "tuning", final.tune, final.epochs, ConsoleProgress(console), engine)
        study = folder / "tuning"
    import_keras()
    console.print("train   the winner" + (" on train + validation" if refit else ": its trial's own model"))
    train(study, dataset, folder / "model", refit)
    console.print("judge   on the test split")
    evaluation = evaluate(folder / "model", dataset, folder / "evaluation")
    console.print("export  and compare")
    export_run(folder, ())
    return evaluation


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
    if path.is_dir():
        raise SpecError(f"{path}: is a folder; the report is a file")
    write_text(path, render_html(collect(study, **{name: part if part.is_dir() else None for name, part in parts.items()})))
    return path
