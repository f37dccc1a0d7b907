"""A real HTTP server that speaks as much of Kubeflow Pipelines' v2beta1 API as the client uses, with its quirks.

Quirks it shares with the real one: it makes a second schedule of the same name, answers 200 before it knows whether there is a
log, writes 1970 as the end of a run that goes on, and lists nodes of the workflow beside the pipeline's own tasks.
"""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

API = "/apis/v2beta1"
LOGS = "/apis/v1alpha1"
BEGAN = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
NEVER = "1970-01-01T00:00:00Z"


@dataclass
class State:
    """What the server knows; tests look into it and change it."""

    multi_user: bool = False
    token: str = ""
    experiments: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    schedules: list[dict[str, Any]] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    # Answers for the next requests, in order: (status, message); status 0 is none, the connection is closed.
    troubles: list[tuple[int, str]] = field(default_factory=list)
    deleted: list[tuple[str, str]] = field(default_factory=list)
    # What a run's states will be at its next readings.
    future: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    host: str = ""

    def add_run(self, **given: Any) -> dict[str, Any]:
        """Add a run as the real server shows one."""
        run = {
            **{"run_id": str(uuid.uuid4()), "display_name": "tune", "state": "RUNNING", "experiment_id": "e"},
            **{"created_at": stamp(len(self.runs)), "finished_at": NEVER},
            **given,
        }
        self.runs.append(run)
        return run


def stamp(minutes: float) -> str:
    return (BEGAN + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def task(name: str, state: str, minutes: float = 0, children: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a node of a workflow as the server lists it among a run's tasks."""
    pods = [{"pod_name": child} for child in children]
    return {"display_name": name, "state": state, "start_time": stamp(minutes), "child_tasks": pods}


def tasks(*own: dict[str, Any]) -> dict[str, Any]:
    """Return a run's details: its own tasks among what Kubeflow runs around them."""
    root = task("tune-x7k2p", "RUNNING", children=("tune-x7k2p-1", "tune-x7k2p-2"))
    around = [root, task("root-driver", "SUCCEEDED"), task("root", "RUNNING")]
    return {"task_details": [*around, *own, *(task(f"{one['display_name']}-driver", "SUCCEEDED") for one in own)]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        state, parts = self.state, urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}") if length else {}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        state.requests.append(f"{method} {self.path}")
        if state.token and self.headers.get("Authorization") != f"Bearer {state.token}":
            return self._send(401, {"message": "Request header error: there is no user identity header"})
        if state.troubles and "healthz" not in parts.path:
            status, message = state.troubles.pop(0)
            if not status:
                self.close_connection = True
                return None
            return self._send(status, {"message": message})
        if parts.path.startswith(LOGS):
            return self._send_text(self._log(parts.path.split("/")[-2]))
        name, _, rest = parts.path.removeprefix(API + "/").partition("/")
        answer = getattr(self, f"_{name}")(method, rest, query, body)
        return self._send(404, {"message": f"{rest} not found"}) if answer is None else self._send(200, answer)

    def _healthz(self, *_: Any) -> dict[str, Any]:
        return {"multi_user": self.state.multi_user, "pipeline_store": "database"}

    def _experiments(self, method: str, _: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if method == "POST":
            self.state.experiments.append(body | {"experiment_id": str(uuid.uuid4())})
            return self.state.experiments[-1]
        return {"experiments": _chosen(self.state.experiments, query)}

    def _runs(self, method: str, rest: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any] | None:
        state = self.state
        if method == "POST":
            return state.add_run(**body, run_details={})
        if not rest:
            found = [run for run in state.runs if query.get("experiment_id") in (None, run["experiment_id"])]
            return _page("runs", found, query)
        run = next((run for run in state.runs if run["run_id"] == rest), None)
        if run is not None and state.future:
            run.update(state.future.pop(0))
        return run

    def _recurringruns(self, method: str, rest: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any] | None:
        state = self.state
        if method == "POST" and not rest:
            made = {**body, "recurring_run_id": str(uuid.uuid4()), "created_at": stamp(len(state.requests))}
            state.schedules.append(made | {"status": f"{body['mode']}D"})
            return state.schedules[-1]
        if not rest:
            return _page("recurringRuns", _chosen(state.schedules, query), query)
        identity, _, action = rest.partition(":")
        item = next((item for item in state.schedules if item["recurring_run_id"] == identity), None)
        if item is None:
            return None
        if method == "DELETE":
            state.schedules.remove(item)
            state.deleted.append((item["display_name"], query.get("propagation_policy", "")))
        if action:
            item.update(mode=action.upper(), status=f"{action.upper()}D")
        return {}

    def _log(self, pod: str) -> str:
        missing = json.dumps({"error_message": f"pods {pod!r} not found", "error_details": "..."})
        return self.state.logs.get(pod, missing)

    def _send(self, status: int, content: Any) -> None:
        self._send_bytes(status, json.dumps(content).encode(), "application/json")

    def _send_text(self, text: str) -> None:
        self._send_bytes(200, text.encode(), "text/plain")

    def _send_bytes(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _chosen(items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    """Apply the namespace and a filter of one predicate on the display name."""
    namespace = query.get("namespace", "")
    found = [item for item in items if not namespace or item.get("namespace") in (None, namespace)]
    if query.get("filter"):
        (predicate,) = json.loads(query["filter"])["predicates"]
        assert predicate["operation"] in ("EQUALS", 1), "kfp itself sends the number"
        assert predicate["key"] == "display_name"
        found = [item for item in found if item["display_name"] == predicate["stringValue"]]
    return found


def _page(name: str, items: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """Return a page, newest first, and where the next begins."""
    assert query["sort_by"] == "created_at desc"
    ordered = sorted(items, key=lambda item: item["created_at"], reverse=True)
    start, size = int(query.get("page_token") or 0), int(query["page_size"])
    more = {"next_page_token": str(start + size)} if start + size < len(ordered) else {}
    return {name: ordered[start : start + size], "total_size": len(ordered), **more}


@contextmanager
def serving(**given: Any) -> Iterator[State]:
    """Run the server; yields its state."""
    state = State(**given)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    state.host = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
