"""A real S3 server on loopback, its data in a temporary folder."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.cluster.box import places

PROGRAM = places.BIN / "minio"
KEY, SECRET = "tunesmith", "tunesmith-secret"


def free_port() -> int:
    """Return a port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Minio:
    """A server that can be stopped and started again with the same data at the same address."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def endpoint(self) -> str:
        """The address that clients take."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        address, console = f"127.0.0.1:{self.port}", "127.0.0.1:0"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "server", "--quiet", "--address", address, "--console-address", console, self.folder / "data"],
                env={**os.environ, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_CI_CD": "1"},
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60
        while not self._answers():
            over = self.process.poll() is not None or time.monotonic() > until
            assert not over, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/minio/health/ready", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False


def require_minio() -> None:
    """Skip the test where the server was never built, unless the cluster's tests are asked for."""
    if PROGRAM.exists():
        return
    reason = f"there is no {PROGRAM}; `make cluster` builds it"
    if os.environ.get("TUNESMITH_CLUSTER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    require_minio()
    minio = Minio(tmp_path_factory.mktemp("minio"))
    minio.start()
    store(minio).mkdir("studies")
    yield minio
    minio.stop()


def store(minio: Minio) -> Any:
    """Another client of the server, to look behind the storage's back."""
    return fsspec.filesystem("s3", endpoint_url=minio.endpoint, key=KEY, secret=SECRET, use_listings_cache=False)


@pytest.fixture
def environment(server: Minio, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The server's address and keys in the environment, and nothing else of the kind."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    # Where no keys are told, they are not looked for at a cloud's address either.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    return monkeypatch
