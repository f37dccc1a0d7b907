"""Reads what a run's steps have printed: the one thing of theirs that the backend's API hands out."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from tunesmith.kfp_client.connection import Backend, quiet
from tunesmith.kfp_client.runs import SUCCEEDED, Run
from tunesmith.pipeline_run.local_step import FIGURES
from tunesmith.pipeline_run.output import last_raised

# A pod is called after its workflow, its template and the last part of its node's id.
TEMPLATES = ("system-container-impl", "retry-system-container-impl")
# What Kubeflow's launcher and Argo's executor write into the same log, after the step's own words.
AROUND = re.compile(r"[IWEF]\d{4} |time=\S+ level=|Error: exit status \d+$")
# The backend's own, and that of the server of its web page.
ROUTES = ("/apis/v1alpha1/runs/{run}/nodes/{pod}/log", "/k8s/pod/logs?podname={pod}&runid={run}&podnamespace={namespace}")


def read_figures(backend: Backend, run: Run) -> dict[str, dict[str, Any]]:
    """Return the figures that steps have told, by step; empty where the logs are gone or the steps came from the cache."""
    found: dict[str, dict[str, Any]] = {}
    nodes = [node for step in (*run.steps, *run.executors) for node in step.pods]
    for line in (line for log in _logs(backend, run, nodes) for line in log):
        _, mark, told = line.partition(FIGURES)
        if mark and (content := _parse(told)):
            found[content["step"]] = content["figures"]
    return found


def read_failure(backend: Backend, run: Run) -> str:
    """Return why a run has failed: its first failed step and the error that it ended with, as far as can be known."""
    failed = next((step for step in run.steps if step.state == "FAILED"), None)
    if failed is None:
        return run.error
    attempts = [node for executor in run.executors if executor.state != SUCCEEDED for node in reversed(executor.pods)]
    raised = next((words for log in _logs(backend, run, [*failed.pods, *attempts]) if (words := _raised(log))), "")
    return f"{failed.name}: {raised.removeprefix('tunesmith.errors.') or 'failed; its log is on the page of the run'}"


def _raised(log: list[str]) -> str:
    """Return the exception that a pod's log ends with, '' where there is none."""
    return "\n".join(takewhile(lambda line: not AROUND.match(line), last_raised(log).splitlines())).strip()


def _parse(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) and {"step", "figures"} <= content.keys() else None


def _logs(backend: Backend, run: Run, nodes: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines of each node's pod, where they can be had."""
    for node in nodes:
        workflow, _, ending = node.rpartition("-")
        for pod in (node, *(f"{workflow}-{template}-{ending}" for template in TEMPLATES)):
            text = _read(backend, run.run_id, pod)
            if text:
                yield text.splitlines()
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
