"""Reads what a run's steps have printed: the one thing of theirs that the backend's API hands out."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tunesmith.kfp_client.connection import Backend, quiet
from tunesmith.kfp_client.runs import Run
from tunesmith.pipeline_run.local_step import FIGURES
from tunesmith.pipeline_run.output import last_raised

# A pod is called after its workflow, its template and the last part of its node's id.
TEMPLATES = ("system-container-impl", "retry-system-container-impl")
# The backend's own, and that of the server of its web page.
ROUTES = ("/apis/v1alpha1/runs/{run}/nodes/{pod}/log", "/k8s/pod/logs?podname={pod}&runid={run}&podnamespace={namespace}")


def read_figures(backend: Backend, run: Run) -> dict[str, dict[str, Any]]:
    """Return the figures that steps have told, by step; empty where the logs are gone or the steps came from the cache."""
    found: dict[str, dict[str, Any]] = {}
    for line in _lines(backend, run, [*(pod for step in run.steps for pod in step.pods), *run.attempts]):
        _, mark, told = line.partition(FIGURES)
        if mark and (content := _parse(told)):
            found[content["step"]] = content["figures"]
    return found


def read_failure(backend: Backend, run: Run) -> str:
    """Return why a run has failed: its first failed step and the error that it ended with, as far as can be known."""
    failed = next((step for step in run.steps if step.state == "FAILED"), None)
    if failed is None:
        return run.error
    raised = last_raised(list(_lines(backend, run, [*failed.pods, *run.attempts])))
    return f"{failed.name}: {raised.removeprefix('tunesmith.errors.') or 'failed; its log is on the page of the run'}"


def _parse(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) and {"step", "figures"} <= content.keys() else None


def _lines(backend: Backend, run: Run, nodes: Iterable[str]) -> Iterator[str]:
    for node in nodes:
        workflow, _, ending = node.rpartition("-")
        for pod in (node, *(f"{workflow}-{template}-{ending}" for template in TEMPLATES)):
            text = _read(backend, run.run_id, pod)
            if text:
                yield from text.splitlines()
                break


def _read(backend: Backend, run_id: str, pod: str) -> str:
    """Return a pod's log, '' where it cannot be had: figures are a convenience, no reason to fail."""
    import urllib3
    from kfp_server_api import ApiException

    for route in ROUTES:
        path = route.format(run=run_id, pod=pod, namespace=backend.namespace or "kubeflow")
        try:
            with quiet():
                text, *_ = backend.api_client.call_api(path, "GET", response_type="str", auth_settings=["Bearer"])
        except (ApiException, urllib3.exceptions.HTTPError):
            continue
        # The backend answers 200 before it knows whether there is a log, and the web page's server knows only its own routes.
        if isinstance(text, str) and "error_message" not in text[:200] and not text.lstrip().startswith("<"):
            return text
    return ""
