"""Where a step's study is on the cluster, and what becomes of its Experiments when the run is ended."""

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunesmith.errors import ClusterError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tunesmith.engines.katib import Place
    from tunesmith.katib.cluster import Cluster

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


def place_on_cluster(engine: str, uris: Uris | None, namespace: str | None) -> "AbstractContextManager[Place | None]":
    """Return the context of a search: its place for the engine katib, whose Experiments go when the run is ended."""
    place = uris.place if uris and engine == "katib" else None
    return _ending_with_the_run(place, namespace) if place else nullcontext()


@contextmanager
def _ending_with_the_run(place: "Place", namespace: str | None) -> Iterator["Place"]:
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
        yield place
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
