"""Runs Kubeflow pipelines on this machine, without a cluster: kfp.local with a display, a summary, and a way to go on."""

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tunesmith.aims import Aims
from tunesmith.errors import GateFailed, SpecError, StudyError, TunesmithError
from tunesmith.pipeline_run.arguments import GATES, check
from tunesmith.pipeline_run.catalog import kfp_silenced, load_pipeline
from tunesmith.pipeline_run.display import PipelineDisplay
from tunesmith.pipeline_run.folder import RunFolder, choose_folder
from tunesmith.pipeline_run.form import FORBIDDEN, arguments_of, complete, refuse_garbled
from tunesmith.pipeline_run.output import PipelineOutput
from tunesmith.pipeline_run.processes import environment, steps_ended
from tunesmith.record import Record
from tunesmith.search import outcome
from tunesmith.summary import make_summary, print_summary, save_summary

if TYPE_CHECKING:
    from kfp.dsl.base_component import BaseComponent


SUCCEEDED, GATE_FAILED, FAILED = "succeeded", "gate failed", "failed"


def run_named(name: str, texts: Sequence[str], runs: Path, console: Console) -> dict[str, Any]:
    """Run the pipeline `name` with `NAME=VALUE` texts, below the folder `runs`; returns the summary (see run_pipeline).

    Goes on with the latest run where that was interrupted or failed, and had the same arguments.
    """
    pipeline = load_pipeline(name)
    arguments = arguments_of(pipeline, texts)
    check(arguments)
    refuse_garbled(arguments)
    folder, goes_on = choose_folder(runs, name, arguments)
    console.print(f"{'going on with' if goes_on else 'running in'} {folder}", highlight=False, soft_wrap=True)
    return run_pipeline(pipeline, arguments, folder, console)


def run_pipeline(pipeline: "BaseComponent", arguments: Mapping[str, Any], folder: Path, console: Console) -> dict[str, Any]:
    """Run a pipeline in `folder`, which may hold an earlier attempt; returns the summary, also `summary.json` there.

    Raises SpecError for a mistake in the arguments before anything is started. A failing step raises the error that it ended
    with, GateFailed for instance, after the summary of what there is was written.
    """
    arguments = complete(pipeline, arguments)
    check(arguments)
    refuse_garbled(arguments)
    folder = folder.absolute()
    if FORBIDDEN in str(folder):
        raise SpecError(f"{folder}: a local run cannot use a folder with {FORBIDDEN!r} in its path, choose another")
    run, started = RunFolder.create(folder, pipeline.name, arguments), time.monotonic()
    error, seconds = _run_steps(pipeline, arguments, run, console)
    status = SUCCEEDED if error is None else GATE_FAILED if isinstance(error, GateFailed) else FAILED
    summary = _summary(run, pipeline, time.monotonic() - started)
    summary |= {"status": status, "gate": _gate(arguments, status), "steps": seconds}
    summary |= {"error": str(error)} if error else {}
    save_summary(summary, run.path)
    run.lock.close()
    if "best" in summary:
        print_summary(summary, console)
    if error:
        raise error
    return summary


def _run_steps(
    pipeline: "BaseComponent", arguments: Mapping[str, Any], run: RunFolder, console: Console
) -> tuple[TunesmithError | None, dict[str, float]]:
    """Run all steps; returns the error of the one that failed, and the seconds of each."""
    from kfp import local

    display = PipelineDisplay(console)
    with (run.path / "pipeline.log").open("a") as log, environment(run.path, console.is_terminal), kfp_silenced():
        output = PipelineOutput(log, display)
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(run.steps), raise_on_error=False)
        console.file = console.file  # else a console on standard output would follow it into the log
        try:
            with contextlib.redirect_stdout(output), steps_ended():
                pipeline(**arguments)
        finally:
            display.close()
    return output.error() if output.failed else None, display.seconds


def _summary(run: RunFolder, pipeline: "BaseComponent", seconds: float) -> dict[str, Any]:
    """Return what is known of a run, ended well or not: its search and its evaluation where it came to them."""
    outputs = run.outputs(pipeline)
    try:
        with Record.read(outputs.get("study", run.path)) as record:
            found = outcome(record, Aims.of(record.content)).to_json()
    except StudyError:
        return {"seconds": round(seconds, 3), "outputs": {name: str(path) for name, path in outputs.items()}}
    judged = _read(outputs.get("evaluation", run.path) / "evaluation.json")
    decision = _read(outputs.get("comparison", run.path) / "decision.json")
    return make_summary(found, judged, seconds, outputs) | ({"decision": decision} if decision else {})


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else None


def _gate(arguments: Mapping[str, Any], status: str) -> str:
    """Return what became of the limits that the model must keep: off, passed, failed or not reached."""
    if not any(arguments.get(name) for name in GATES):
        return "off"
    return {SUCCEEDED: "passed", GATE_FAILED: "failed"}.get(status, "not reached")
