"""The step that searches, on its own machine or through Katib."""

import hashlib
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.files import write_text
from tunesmith.pipeline_run.arguments import search_spec
from tunesmith.pipeline_run.local_step import pace, place_of_study, step, step_console, tell_figures
from tunesmith.progress import ConsoleProgress
from tunesmith.record import CHANGEABLE
from tunesmith.search import Outcome, search
from tunesmith.spec import Spec
from tunesmith.steps._cluster import Uris, place_on_cluster
from tunesmith.steps._data import data_arguments
from tunesmith.steps._figures import finite, page

STUDY = "study"


@step
def search_step(
    dataset: Path,
    study: Path,
    report: Path,
    leaderboard: Path,
    arguments: Mapping[str, Any],
    champion: Path | None = None,
    uris: Uris | None = None,
    drawing: Path | None = None,
) -> dict[str, float]:
    """Search as the pipeline's `arguments` ask on a prepared data set, into the folder `study`; returns the search's figures.

    The files `report` (HTML) and `leaderboard` (Markdown) show the study, `drawing` the best cell. A local run that was
    interrupted goes on here. The best candidates of the study in the folder `champion` are tried first. `uris` are for the
    engine katib.
    """
    from tunesmith.fidelity import keep_fidelity
    from tunesmith.report.collect import collect
    from tunesmith.report.html import render_html
    from tunesmith.report.markdown import render_markdown
    from tunesmith.report.network import draw_network

    info = DatasetInfo.load(dataset)
    earlier = champion / STUDY if champion and (champion / STUDY).is_dir() else None
    engine = arguments.get("engine", "local")
    spec = search_spec({**data_arguments(dataset, info), **arguments}, earlier)
    folder = place_of_study(study, study_key(spec, info))
    with place_on_cluster(engine, uris, spec.file.cluster.namespace) as place:
        outcome = search(spec, folder, dataset, ConsoleProgress(step_console(), pace()), engine, place)
    if spec.file.final.fidelity:
        keep_fidelity(folder, dataset, lambda text: step_console().print(text, highlight=False))
    content = collect(folder, dataset)
    write_text(report, render_html(content))
    write_text(leaderboard, render_markdown(content))
    if drawing:
        pictures = (f"<h2>{escape(name)}</h2>\n{draw_network(layers)}" for name, layers in content.pictures.items())
        write_text(drawing, page("The best architecture", "\n".join(pictures)))
    figures = search_figures(outcome)
    tell_figures("search-architecture" if drawing else "search-model", figures)
    return figures


def search_figures(outcome: Outcome) -> dict[str, float]:
    """Return a search's figures as a step's metrics."""
    counts = {"trials": outcome.trials, "failed_trials": outcome.failed, "stopped_trials": outcome.stopped}
    return finite({f"best_{outcome.objective.metric}": outcome.value, **counts, "search_seconds": outcome.seconds})


def study_key(spec: Spec, info: DatasetInfo) -> str:
    """Return the name of a study: the same for the same search on the same data, whatever its budget."""
    content = {name: value for name, value in spec.to_json().items() if name not in CHANGEABLE}
    return hashlib.sha256(json.dumps([content, info.fingerprint], sort_keys=True).encode()).hexdigest()[:12]
