"""The step that searches, on its own machine or through Katib."""

import hashlib
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import ClusterError
from tunesmith.files import write_text
from tunesmith.pipeline_run.arguments import search_spec
from tunesmith.pipeline_run.local_step import pace, place_of_study, step, step_console, tell_figures
from tunesmith.progress import ConsoleProgress
from tunesmith.record import CHANGEABLE
from tunesmith.search import Outcome, search
from tunesmith.spec import Spec
from tunesmith.steps._data import data_arguments
from tunesmith.steps._figures import finite, page

if TYPE_CHECKING:
    from tunesmith.engines.katib import Place
    from tunesmith.katib.cluster import Cluster

STUDY = "study"
# The exit code of a process that SIGTERM has ended.
TERMINATED = 143


@dataclass(frozen=True)
class Uris:
    """Where Kubeflow keeps the step's artifacts; a local run's are paths, which no trial's pod could read."""

    dataset: str
    study: str

    @property
    def place(self) -> "Place | None":
        """Return where the study is on a cluster.

        Kubeflow gives an output's URI once for each task of each run, and a retry of the task keeps it: so a retry finds the
        Experiment that it had started, by an id made of nothing else.
        """
        if "://" not in self.study or self.study.startswith("file://"):
            return None
        from tunesmith.engines.katib import Place
        from tunesmith.on_katib import new_id

        return Place(new_id("search", hashlib.sha256(self.study.encode()).hexdigest()[:12]), self.study, self.dataset)


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
    from tunesmith.report.collect import collect
    from tunesmith.report.html import render_html
    from tunesmith.report.markdown import render_markdown
    from tunesmith.report.network import draw_network

    info = DatasetInfo.load(dataset)
    earlier = champion / STUDY if champion and (champion / STUDY).is_dir() else None
    engine = arguments.get("engine", "local")
    spec = search_spec({**data_arguments(dataset, info), **arguments}, earlier)
    folder = place_of_study(study, study_key(spec, info))
    progress, place = ConsoleProgress(step_console(), pace()), uris.place if uris and engine == "katib" else None
    with _ending_with_the_run(place, spec.file.cluster.namespace) if place else nullcontext():
        outcome = search(spec, folder, dataset, progress, engine, place)
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


@contextmanager
def _ending_with_the_run(place: "Place", namespace: str | None) -> Iterator[None]:
    """Delete the study's Experiments as soon as the pod is told to end, unless its node is being cleared: a retry goes on.

    Kubeflow's executor looks once a second whether the step has ended of its signal, and takes the container with it: the
    engine's own way to end, which first records what there is, would come too late.
    """
    from tunesmith.katib.cluster import Cluster
    from tunesmith.katib.outline import STUDY_LABEL

    cluster, home = Cluster.connect(namespace), Cluster.connect()

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not _evicted(home):
            for experiment in cluster.experiments(f"{STUDY_LABEL}={place.study_id}"):
                cluster.delete_experiment(experiment["metadata"]["name"])
        os._exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _evicted(home: "Cluster") -> bool:
    """Tell whether this pod ends since its node is drained, or needed by others; where it may not know, it does not."""
    try:
        pod = home.pod(os.environ.get("HOSTNAME", "")) or {}
    except ClusterError:
        return False
    conditions = pod.get("status", {}).get("conditions", [])
    return any(found["type"] == "DisruptionTarget" and found["status"] == "True" for found in conditions)


def study_key(spec: Spec, info: DatasetInfo) -> str:
    """Return the name of a study: the same for the same search on the same data, whatever its budget."""
    content = {name: value for name, value in spec.to_json().items() if name not in CHANGEABLE}
    return hashlib.sha256(json.dumps([content, info.fingerprint], sort_keys=True).encode()).hexdigest()[:12]
