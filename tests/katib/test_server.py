"""The service as a process: it listens before its libraries are imported, tells its health and metrics, and ends in order."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.katib.controller import Controller
from tests.katib.experiments import carried
from tunesmith.katib import api_pb2_grpc
from tunesmith.katib.server import PROBED, make_server


@contextmanager
def running(**environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The service's process and its port; ended by force where the test did not end it."""
    command = [sys.executable, "-m", "tunesmith.katib.server", "--port", "0", "--metrics-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}) as process:
        try:
            yield process, port_in(process, "listening on port")
        finally:
            process.kill()


def port_in(process: subprocess.Popen[str], words: str) -> int:
    """Read the log up to the line with these words; return the port that it tells."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(rf"{words} (\d+)", line):
            return int(found[1])
    raise AssertionError("the service ended without a word of its port")


def test_it_answers_probes_and_katib_counts_for_prometheus_and_ends_when_told() -> None:
    with running() as (process, port):
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            probe = health_pb2.HealthCheckRequest(service=PROBED)
            answer = health_pb2_grpc.HealthStub(channel).Check(probe)  # type: ignore[attr-defined]  # set when made
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            assert len(Controller(carried()).sync(api_pb2_grpc.SuggestionStub(channel), 2)) == 2
        metrics = port_in(process, "metrics on port")
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics") as page:
            text = page.read().decode()
        assert 'tunesmith_suggestion_calls_total{algorithm="tunesmith-tpe",method="GetSuggestions"} 1.0' in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_senseless_setting_ends_it_with_words_and_exit_code_2() -> None:
    with running(TUNESMITH_PROPOSE_SECONDS="soon") as (process, _):
        assert process.stderr is not None
        log = process.stderr.read()
        assert process.wait(30) == 2
    assert "TUNESMITH_PROPOSE_SECONDS: got 'soon'; needs seconds above 0" in log
    assert "Traceback" not in log


def test_nothing_that_takes_long_is_imported_before_it_listens() -> None:
    code = "import sys, tunesmith.katib.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "scipy", "pydantic", "prometheus_client", "tensorflow", "keras", "kubernetes", "kfp"}
    assert heavy & set(loaded) == set()


def test_the_service_needs_no_library_that_its_image_lacks() -> None:
    code = "import sys, tunesmith.katib.server as s; s.Deferred().load(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    absent = {"tensorflow", "keras", "kfp", "kubernetes", "sklearn", "matplotlib", "fsspec"}
    assert absent & set(loaded) == set()


@pytest.mark.parametrize("service", [PROBED, ""])
def test_katibs_probe_finds_the_service_healthy(service: str) -> None:
    server, port = make_server("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = health_pb2_grpc.HealthStub(channel).Check(request)  # type: ignore[attr-defined]  # set when made
    finally:
        server.stop(None).wait()
    assert PROBED == "manager.v1beta1.Suggestion"
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
