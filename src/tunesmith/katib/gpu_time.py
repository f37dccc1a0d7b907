"""Counts how long trial pods hold their GPUs, evicted attempts included."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tunesmith.study import Trial

FACT = "gpu_seconds"
Pod = Mapping[str, Any]


class GpuTime:
    """GPU seconds of ended and of running trials; `gpus` is what each pod holds."""

    def __init__(self, gpus: int, recorded: Iterable[Trial]) -> None:
        self.gpus = gpus
        self._settled = sum(trial.facts.get(FACT, 0.0) for trial in recorded)
        # By trial and pod: an evicted pod is gone when its trial ends.
        self._held: dict[str, dict[str, float]] = {}

    @property
    def seconds(self) -> float:
        """GPU seconds in all so far."""
        return self._settled + sum(self._of(pods) for pods in self._held.values())

    def see(self, pods: Iterable[Pod]) -> int:
        """Take note of how long each pod has run; returns how many are running."""
        running = 0
        for pod in pods:
            running += pod.get("status", {}).get("phase") == "Running"
            held = self._held.setdefault(_trial(pod), {})
            held[pod["metadata"]["uid"]] = max(held.get(pod["metadata"]["uid"], 0.0), run_seconds(pod))
        return running

    def settle(self, trial: str, pods: Iterable[Pod], told: float = 0.0) -> dict[str, float]:
        """Return the facts of an ended trial, given what is left of its pods; without any, the seconds that it `told` count."""
        self.see(pods)
        seconds = self._of(self._held.pop(trial, {})) or self.gpus * told
        self._settled += seconds
        return {FACT: round(seconds, 3)} if self.gpus else {}

    def _of(self, pods: Mapping[str, float]) -> float:
        return self.gpus * sum(pods.values())


def run_seconds(pod: Pod) -> float:
    """Return how long a pod's container has run, from its start to its end, or to now."""
    for container in pod.get("status", {}).get("containerStatuses", []):
        state = container.get("state", {})
        if ended := state.get("terminated"):
            return _between(ended.get("startedAt"), ended.get("finishedAt"))
        if running := state.get("running"):
            return _between(running.get("startedAt"), None)
    return 0.0


def _between(start: str | None, end: str | None) -> float:
    if not start:
        return 0.0
    last = datetime.fromisoformat(end) if end else datetime.now(UTC)
    return max((last - datetime.fromisoformat(start)).total_seconds(), 0.0)


def _trial(pod: Pod) -> str:
    return pod["metadata"].get("labels", {}).get("job-name", "")
