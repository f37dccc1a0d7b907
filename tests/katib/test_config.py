"""Katib is made to know Tunesmith's strategies, and to forget them, whoever else edits its configuration meanwhile."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from click.testing import CliRunner

from tests.katib.test_config_text import SHIPPED, algorithms
from tunesmith import registry
from tunesmith.errors import ClusterError, SpecError
from tunesmith.katib import config
from tunesmith.katib.config import edit_config, image_of_job, strategy_entries
from tunesmith.katib.in_cluster import ApiServer

CONFIG = "/api/v1/namespaces/kubeflow/configmaps/katib-config"
JOB = "/apis/batch/v1/namespaces/kubeflow/jobs/tunesmith-config"
STRATEGIES = [f"tunesmith-{name}" for name in registry.discover("tunesmith.strategies")]
FOREIGN = ["random", "not-tunesmith-a", "tunesmith"]


class Katib(ThreadingHTTPServer):
    """As much of an API server as holds Katib's configuration; tests/cluster has a real one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        job = {"spec": {"template": {"spec": {"containers": [{"image": "mirror/suggestion:7"}]}}}}
        self.objects: dict[str, dict[str, Any]] = {
            CONFIG: {"metadata": {"resourceVersion": "1"}, "data": {"katib-config.yaml": SHIPPED, "else": "kept"}},
            JOB: job,
        }
        self.experiments: list[tuple[str, str]] = []
        self.forbidden: set[str] = set()
        self.others: list[str] = []
        self.writes = 0

    def put(self, text: str) -> None:
        held = self.objects[CONFIG]
        held["data"]["katib-config.yaml"] = text
        held["metadata"]["resourceVersion"] = str(int(held["metadata"]["resourceVersion"]) + 1)

    @property
    def text(self) -> str:
        return self.objects[CONFIG]["data"]["katib-config.yaml"]


class Handler(BaseHTTPRequestHandler):
    server: Katib

    def do_GET(self) -> None:
        if self.path.startswith(config.EXPERIMENTS):
            return self.allowed() and self.answer(200, self.page())
        if self.path not in self.server.objects:
            return self.answer(404, {"message": f"{self.path.rpartition('/')[2]} not found"})
        return self.allowed() and self.answer(200, self.server.objects[self.path])

    def do_PATCH(self) -> None:
        change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.allowed():
            return None
        if self.server.others:
            self.server.put(self.server.others.pop(0))
        held = self.server.objects[self.path]
        if change["metadata"]["resourceVersion"] != held["metadata"]["resourceVersion"]:
            return self.answer(409, {"message": "the object has been modified"})
        assert set(change["data"]) == {"katib-config.yaml"}
        self.server.writes += 1
        self.server.put(change["data"]["katib-config.yaml"])
        return self.answer(200, held)

    def page(self) -> dict[str, Any]:
        """Return the experiments by two at a time."""
        start = int(parse_qs(urlsplit(self.path).query).get("continue", ["0"])[0])
        shown = self.server.experiments[start : start + 2]
        more = str(start + 2) if start + 2 < len(self.server.experiments) else ""
        items = [{"metadata": {"namespace": "a", "name": n}, "spec": {"algorithm": {"algorithmName": by}}} for n, by in shown]
        return {"metadata": {"continue": more}, "items": items}

    def allowed(self) -> bool:
        refused = self.headers["Authorization"] != "Bearer secret" or self.command in self.server.forbidden
        if refused:
            self.answer(403, {"message": f"User cannot {self.command.lower()} it"})
        return not refused

    def answer(self, status: int, content: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def katib() -> Iterator[Katib]:
    with Katib() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api(katib: Katib, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    server = ApiServer(f"http://127.0.0.1:{katib.server_port}", "secret", "kubeflow")
    monkeypatch.setattr(ApiServer, "of_this_pod", lambda: server)
    return server


def wanted() -> list[dict[str, Any]]:
    return [{**entry, "image": "registry/suggestion:1"} for entry in strategy_entries()]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(config._commands, arguments, catch_exceptions=False)
    return result.exit_code, result.output.strip()


def test_every_strategy_has_an_entry() -> None:
    assert [entry["algorithmName"] for entry in strategy_entries()] == STRATEGIES


def test_the_entries_are_added_once(katib: Katib, api: ApiServer) -> None:
    assert edit_config(api, wanted()).added == tuple(STRATEGIES)
    assert not edit_config(api, wanted())
    assert katib.writes == 1
    assert algorithms(katib.text) == FOREIGN + STRATEGIES
    assert katib.objects[CONFIG]["data"]["else"] == "kept"


def test_a_change_by_another_in_the_same_moment_is_kept(katib: Katib, api: ApiServer) -> None:
    katib.others = [SHIPPED.replace("not-tunesmith-a", "grid"), SHIPPED.replace("not-tunesmith-a", "cmaes")]
    edit_config(api, wanted())
    assert algorithms(katib.text) == ["random", "cmaes", "tunesmith", *STRATEGIES]


def test_one_who_never_stops_changing_it_is_told_of(katib: Katib, api: ApiServer) -> None:
    katib.others = [SHIPPED] * 100
    with pytest.raises(ClusterError, match=r"katib-config was changed by another \d+ times"):
        edit_config(api, wanted())
    assert katib.text == SHIPPED


def test_a_right_that_is_missing_is_named(katib: Katib, api: ApiServer) -> None:
    katib.forbidden = {"PATCH"}
    with pytest.raises(ClusterError, match=r"(?s)katib-config: User cannot patch it.*apply the overlay anew"):
        edit_config(api, wanted())


def test_a_cluster_without_katib_is_told_of(katib: Katib, api: ApiServer) -> None:
    del katib.objects[CONFIG]
    with pytest.raises(ClusterError, match=r"(?s)katib-config not found.*is Katib installed in namespace 'kubeflow'"):
        edit_config(api, wanted())


def test_the_configuration_of_an_older_katib_is_left_as_it_is(katib: Katib, api: ApiServer) -> None:
    katib.objects[CONFIG]["data"] = {"suggestion": "{}"}
    with pytest.raises(ClusterError, match=r"no key katib-config.yaml"):
        edit_config(api, wanted())


def test_a_server_that_is_away_is_told_of() -> None:
    with pytest.raises(ClusterError, match=r"http://127.0.0.1:1 does not answer: .*refused"):
        ApiServer("http://127.0.0.1:1", "secret", "kubeflow").get(CONFIG)


def test_the_commands_say_what_they_do(katib: Katib, api: ApiServer) -> None:
    names = ", ".join(STRATEGIES)
    assert run("add", "--image", "a:1", "--check") == (1, f"katib-config: would add {names}")
    assert katib.text == SHIPPED
    assert run("add", "--image", "a:1") == (0, f"katib-config: add {names}")
    assert run("add", "--image", "a:1") == (0, "katib-config: nothing to change")
    assert run("add", "--image", "a:2") == (0, f"katib-config: replace {names}")
    assert run("remove") == (0, f"katib-config: remove {names}")
    assert algorithms(katib.text) == FOREIGN


def test_algorithms_that_experiments_use_stay(katib: Katib, api: ApiServer) -> None:
    katib.experiments = [("one", "random"), ("two", "tunesmith-tpe"), ("three", "random"), ("four", "tunesmith-x")]
    run("add", "--image", "a:1")
    with pytest.raises(SpecError, match=r"(?s)^2 experiments use Tunesmith's algorithms: a/two, a/four\n.*delete them first"):
        run("remove")
    assert algorithms(katib.text) == FOREIGN + STRATEGIES
    katib.experiments = [("one", "random")]
    run("remove")
    assert algorithms(katib.text) == FOREIGN


def test_by_force_they_go_unseen(katib: Katib, api: ApiServer) -> None:
    katib.experiments = [("two", "tunesmith-tpe")]
    run("add", "--image", "a:1")
    assert run("remove", "--force")[0] == 0
    assert algorithms(katib.text) == FOREIGN


def test_the_image_of_the_job_becomes_the_algorithms(katib: Katib, api: ApiServer) -> None:
    assert image_of_job(api, "tunesmith-config") == "mirror/suggestion:7"
    run("add", "--image-of-job", "tunesmith-config")
    added = yaml.safe_load(katib.text)["runtime"]["suggestions"][len(FOREIGN) :]
    assert {entry["image"] for entry in added} == {"mirror/suggestion:7"}


def test_edited_entries_are_taken_as_they_are(katib: Katib, api: ApiServer, tmp_path: Path) -> None:
    path = tmp_path / "algorithms.yaml"
    path.write_text("- {algorithmName: tunesmith-tpe, resources: {limits: {memory: 4Gi}}}\n")
    assert run("add", "--image", "a:1", "--entries", str(path)) == (0, "katib-config: add tunesmith-tpe")
    mine = {"algorithmName": "tunesmith-tpe", "image": "a:1", "resources": {"limits": {"memory": "4Gi"}}}
    assert yaml.safe_load(katib.text)["runtime"]["suggestions"][-1] == mine


@pytest.mark.parametrize("text", ["", "a: 1", "- random", "- {image: a}", "- {algorithmName: random}"])
def test_entries_under_names_of_others_are_refused(api: ApiServer, tmp_path: Path, text: str) -> None:
    path = tmp_path / "algorithms.yaml"
    path.write_text(text)
    with pytest.raises(
        SpecError, match=r"algorithms.yaml: needs a list of entries whose algorithmName begins with 'tunesmith-'"
    ):
        config.add.main(["--image", "a:1", "--entries", str(path)], standalone_mode=False)


def test_outside_of_a_pod_and_without_an_account_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"in a pod of a cluster only"):
        ApiServer.of_this_pod(tmp_path, {})
    with pytest.raises(ClusterError, match=r"No such file.*needs a service account"):
        ApiServer.of_this_pod(tmp_path, {"KUBERNETES_SERVICE_HOST": "10.96.0.1"})
