"""The step that searches how a found architecture is trained."""

from pathlib import Path

from tunesmith.files import write_text
from tunesmith.pipeline_run.local_step import pace, step, step_console, tell_figures
from tunesmith.progress import ConsoleProgress
from tunesmith.record import Record
from tunesmith.search import study_spec
from tunesmith.steps._cluster import Uris, place_on_cluster
from tunesmith.steps._search import search_figures


@step
def tune_step(
    study: Path,
    dataset: Path,
    tuned: Path,
    report: Path,
    trials: int,
    epochs: int,
    engine: str = "local",
    uris: Uris | None = None,
) -> dict[str, float]:
    """Search how the winner of `study` is trained at full size, into the study `tuned`; returns that search's figures.

    With no trials `tuned` is a copy of `study`. epochs: of a trial; 0: those of the study's trials. engine: local or katib,
    whose trials run as those of `study` are told to; `uris` are for it.
    """
    from tunesmith.report.collect import collect
    from tunesmith.report.html import render_html
    from tunesmith.tuning import tune

    with Record.read(study) as record:
        namespace = study_spec(record).file.cluster.namespace
    with place_on_cluster(engine if trials else "local", uris, namespace) as place:
        outcome = tune(study, dataset, tuned, trials, epochs or None, ConsoleProgress(step_console(), pace()), engine, place)
    write_text(report, render_html(collect(tuned, dataset)))
    figures = search_figures(outcome)
    tell_figures("tune-training", figures)
    return figures
