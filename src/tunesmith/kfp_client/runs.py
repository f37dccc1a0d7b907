"""Runs on a cluster: which there are, how far they are, and waiting for one."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tunesmith.errors import ClusterError
from tunesmith.kfp_client.connection import Backend, Unanswered, quiet, told

PENDING, SUCCEEDED, SKIPPED = "PENDING", "SUCCEEDED", "SKIPPED"
OVER = (SUCCEEDED, "FAILED", SKIPPED, "CANCELED")
EXECUTOR = "executor"
# Kubeflow's default lets every node be tried again; each attempt is a node of its own below it, such as `train-model(0)`.
ATTEMPT = re.compile(r"\(\d+\)$")
# A backend that is restarted, or a network that fails for a while, ends no waiting.
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 5.0
PAGE = 100


@dataclass(frozen=True)
class Step:
    """A task of a run; `pods` are the ids of the workflow's nodes that it started."""

    name: str
    state: str
    pods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """What the backend tells of a run; `seconds` is its duration so far, `executors` are nodes that may be tried again."""

    run_id: str
    name: str
    state: str
    link: str
    created: str
    seconds: float
    arguments: dict[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    executors: tuple[Step, ...] = ()
    error: str = ""

    @property
    def over(self) -> bool:
        """Tell whether the run has come to an end."""
        return self.state in OVER

    def step(self, name: str) -> Step | None:
        """Return the step of that name, None where the run has not come to it."""
        return next((step for step in self.steps if step.name == name), None)


def list_runs(backend: Backend, limit: int, experiment: str = "") -> list[Run]:
    """Return the newest runs, newest first; those of one Kubeflow experiment where it is named."""
    host = backend.address.host
    with quiet(), told(host, "list runs"):
        scope: dict[str, Any] = {"namespace": backend.namespace or None}
        if experiment:
            scope = {"experiment_id": _experiment(backend, experiment)}
        found: list[Any] = []
        page = ""
        while len(found) < limit:
            size = min(limit - len(found), PAGE)
            answer = backend.client.list_runs(page_token=page, page_size=size, sort_by="created_at desc", **scope)
            found += answer.runs or []
            page = answer.next_page_token or ""
            if not page:
                break
    return [_run(backend, run) for run in found[:limit]]


def get_run(backend: Backend, run_id: str) -> Run:
    """Return a run; raises ClusterError where there is none of that id."""
    with quiet(), told(backend.address.host, f"find the run {run_id}"):
        return _run(backend, backend.client.get_run(run_id))


def wait(
    backend: Backend, run_id: str, seconds: float | None, listen: Callable[[Run], None], poll: float = POLL_SECONDS
) -> Run:
    """Return the run as it ended, or as it is when `seconds` are over; `listen` hears of it every `poll` seconds."""
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    answered = time.monotonic()
    while True:
        try:
            run = get_run(backend, run_id)
        except Unanswered:
            if time.monotonic() - answered > min(PATIENCE_SECONDS, max(until - answered, 0)):
                raise
        else:
            answered = time.monotonic()
            listen(run)
            if run.over or answered >= until:
                return run
        time.sleep(min(poll, max(until - time.monotonic(), 0.1)))


def _experiment(backend: Backend, name: str) -> str:
    try:
        return str(backend.client.get_experiment(experiment_name=name, namespace=backend.namespace or None).experiment_id)
    except ValueError:
        raise ClusterError(f"{backend.address.host}: has no experiment {name!r}") from None


def _run(backend: Backend, run: Any) -> Run:
    details = (run.run_details.task_details if run.run_details else None) or []
    # Steps that a run never came to have no state, and get none any more.
    stateless = SKIPPED if run.state in OVER else PENDING
    config = run.runtime_config
    return Run(
        run_id=str(run.run_id),
        name=str(run.display_name or ""),
        state=str(run.state or PENDING),
        link=backend.link(str(run.run_id)),
        created=run.created_at.isoformat(timespec="seconds") if run.created_at else "",
        seconds=_seconds(run.created_at, run.finished_at),
        arguments=dict((config.parameters if config else None) or {}),
        steps=tuple(_steps(details, stateless)),
        executors=tuple(_step(detail, stateless) for detail in details if detail.display_name == EXECUTOR),
        error=str((run.error.message if run.error else "") or ""),
    )


def _seconds(began: datetime | None, ended: datetime | None) -> float:
    if began is None:
        return 0.0
    # The backend writes 1970 for a run that has not ended.
    over = ended if ended is not None and ended.year > 1970 else datetime.now(began.tzinfo)
    return max((over - began).total_seconds(), 0.0)


def _steps(details: list[Any], stateless: str) -> list[Step]:
    """Return the pipeline's own tasks among the nodes of the workflow, in the order of their start."""
    ordered = sorted(details, key=lambda detail: str(detail.start_time or detail.create_time or ""))
    # The ids of a workflow's nodes begin with its name, which the node of the whole bears.
    workflows = {pod.rpartition("-")[0] for detail in details for pod in _pods(detail)}
    named = [detail for detail in ordered if _is_step(str(detail.display_name or "")) and detail.display_name not in workflows]
    return [_step(detail, stateless) for detail in named]


def _step(detail: Any, stateless: str) -> Step:
    return Step(str(detail.display_name), str(detail.state or stateless), _pods(detail))


def _is_step(name: str) -> bool:
    """Tell a task of the pipeline from what Kubeflow runs around it."""
    around = name in ("", "root", EXECUTOR) or name.startswith(("condition-", "for-loop-"))
    return not (around or name.endswith("-driver") or ATTEMPT.search(name))


def _pods(detail: Any) -> tuple[str, ...]:
    return tuple(str(child.pod_name or "") for child in detail.child_tasks or [] if child.pod_name)
