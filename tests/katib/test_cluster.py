"""The Kubernetes API as the engine uses it, on a small server of this machine: what is repeated, and what is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import ClusterError, SpecError
from tunesmith.katib import cluster as module
from tunesmith.katib.cluster import Cluster

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "http://127.0.0.1:PORT"}}]
contexts: [{name: here, context: {cluster: here, user: me, namespace: team-a}}]
current-context: here
users: [{name: me, user: {token: secret}}]
"""


class Api(ThreadingHTTPServer):
    """Gives the `answers` in their order, then an empty list for ever; `asked` are the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, json.loads(content) if content else None))
        status, body = self.server.answers.pop(0) if self.server.answers else (200, {"items": []})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Keep still."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    return tmp_path


@pytest.fixture
def cluster(api: Api, home: Path) -> Cluster:
    (home / "config").write_text(KUBECONFIG.replace("PORT", str(api.server_address[1])))
    made = Cluster.connect()
    api.asked.clear()
    return made


def refusal(status: int, message: str, **details: Any) -> tuple[int, dict[str, Any]]:
    return status, {"kind": "Status", "message": message, "details": details, "code": status}


def test_the_namespace_is_that_of_the_kubeconfigs_context_unless_named(cluster: Cluster) -> None:
    assert cluster.namespace == "team-a"
    assert Cluster.connect("team-b").namespace == "team-b"


def test_a_cluster_that_does_not_answer_is_told_soon_with_its_address(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GREETING_SECONDS", 0.0)
    (home / "config").write_text(KUBECONFIG.replace("PORT", "9"))
    with pytest.raises(ClusterError, match=r"^http://127\.0\.0\.1:9 does not answer: .*refused\nset KUBECONFIG"):
        Cluster.connect()


@pytest.mark.parametrize("text", ["", "a: [", "kind: Config", KUBECONFIG.replace("current-context: here", "")])
def test_a_kubeconfig_that_names_no_cluster_is_a_mistake_of_the_users(home: Path, text: str) -> None:
    (home / "config").write_text(text)
    with pytest.raises(SpecError, match=r"^no cluster: "):
        Cluster.connect()


def test_a_server_that_refuses_the_greeting_is_there(api: Api, cluster: Cluster) -> None:
    api.answers = [refusal(403, "forbidden")]
    assert Cluster.connect().namespace == "team-a"


def test_what_fails_for_a_passing_reason_is_asked_again(api: Api, cluster: Cluster) -> None:
    api.answers = [refusal(503, "starting"), (500, "failed calling webhook"), (200, "no JSON"), (200, {"items": [{"a": 1}]})]
    assert cluster.pods("a=b") == [{"a": 1}]
    assert [path for _, path, _ in api.asked] == ["/api/v1/namespaces/team-a/pods?labelSelector=a%3Db"] * 4


def test_a_webhooks_refusal_is_told_at_once(api: Api, cluster: Cluster) -> None:
    api.answers = [refusal(500, 'admission webhook "validator" denied the request: too many')]
    with pytest.raises(ClusterError, match=r"cannot change the Experiment e: .* too many"):
        cluster.change_budget("e", 2, 1)
    assert len(api.asked) == 1


def test_a_budget_that_katib_has_overtaken_is_left_to_the_next_look(api: Api, cluster: Cluster) -> None:
    api.answers = [
        refusal(422, "denied the request: maxTrialCount: Invalid value: 3: must be greater than status.trials count")
    ]
    cluster.change_budget("e", 3, 1)
    assert api.asked[0][2] == {"spec": {"maxTrialCount": 3, "maxFailedTrialCount": 3, "parallelTrialCount": 1}}


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (403, 'cannot list resource "pods"', "bind the ClusterRole tunesmith-runner"),
        (401, "Unauthorized", "log in anew"),
        (404, "the server could not find the requested resource", "is Katib installed"),
        (400, "namespace lacks label", "kubectl label namespace"),
        (400, "unable to get Suggestion config data for algorithm tunesmith-tpe", "apply an overlay"),
    ],
)
def test_a_refusal_says_what_helps(api: Api, cluster: Cluster, status: int, message: str, told: str) -> None:
    api.answers = [refusal(status, message)]
    with pytest.raises(ClusterError, match=f"(?s){message}.*{told}"):
        cluster.experiments("a=b")


def test_an_object_that_is_not_there_is_none_and_a_kind_that_is_not_there_is_an_error(api: Api, cluster: Cluster) -> None:
    api.answers = [refusal(404, 'experiments.kubeflow.org "e" not found', name="e"), (404, "404 page not found")]
    assert cluster.experiment("e") is None
    with pytest.raises(ClusterError, match="is Katib installed"):
        cluster.experiment("e")


def test_what_exists_already_is_not_made_and_what_is_gone_is_deleted(api: Api, cluster: Cluster) -> None:
    api.answers = [refusal(409, "already exists"), refusal(404, "not found")]
    assert cluster.create_experiment({"kind": "Experiment"}) is None
    cluster.delete_experiment("e")
    assert [(method, body) for method, _, body in api.asked] == [
        ("POST", {"kind": "Experiment"}),
        ("DELETE", {"propagationPolicy": "Background"}),
    ]
