"""Watches an Experiment's pods: how long they hold GPUs, and what keeps them from running."""

from tunesmith.katib.cluster import Cluster, Object
from tunesmith.katib.diagnosis import event_troubles, pod_troubles
from tunesmith.katib.gpu_time import GpuTime
from tunesmith.katib.outline import LABEL, label
from tunesmith.katib.patience import Patience

# Warnings are read less often than pods: on a busy cluster there are many.
EVENTS_SECONDS = 10.0
# Of many pods with the same trouble a few tell enough.
SHOWN = 3


class PodWatch:
    """The pods of one Experiment, which may do nothing for `seconds`."""

    def __init__(self, cluster: Cluster, gpu_time: GpuTime, seconds: float) -> None:
        self.cluster, self.gpu_time, self.patience = cluster, gpu_time, Patience(seconds)
        self._over = self._running = False

    def look(self, experiment: str) -> str:
        """Return what keeps pods from running now, once that trials run, or ''."""
        pods = self.cluster.pods(f"{LABEL}={label(experiment, self.cluster.namespace)}", unfinished=True)
        running = self.gpu_time.see(pod for pod in pods if _component(pod) == "trial")
        troubles = pod_troubles(pods)
        if not running and not troubles and self.patience.due(EVENTS_SECONDS):
            troubles = event_troubles(self.cluster.events(), experiment)
        if running or any(trouble.patient for trouble in troubles):
            self.patience.progressed()
        self._over = self.patience.over(troubles)
        if running and not self._running:
            self._running = True
            return "the first trials are running"
        return "\n".join(trouble.text for trouble in troubles[:SHOWN])

    def hopeless(self) -> str:
        """Return why it is time to give up, or ''."""
        return self.patience.explanation() if self._over else ""


def _component(pod: Object) -> str:
    return pod["metadata"].get("labels", {}).get("app.kubernetes.io/component", "")
