"""The first search on a cluster, as docs/install.md tells it: through Kubeflow Pipelines' store, with a runner's rights."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.kubectl import attempt, build_at, kubeconfig, read, run
from tests.cluster.searches import IMAGE
from tests.manifests.builds import ROOT, kubectl

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def keys(kube: object) -> dict[str, str]:
    if attempt("get", "secret", "mlpipeline-minio-artifact", "-n", "kubeflow").returncode:
        pytest.skip("the cluster has no store of Kubeflow Pipelines")
    held = read("secret", "mlpipeline-minio-artifact", "-n", "kubeflow")["data"]
    names = {"AWS_ACCESS_KEY_ID": "accesskey", "AWS_SECRET_ACCESS_KEY": "secretkey"}
    return {name: base64.b64decode(held[key]).decode() for name, key in names.items()}


@pytest.fixture
def store() -> Iterator[str]:
    """The store's address on this machine while `kubectl port-forward` runs."""
    command = [kubectl(), "--kubeconfig", kubeconfig(), "port-forward", "-n", "kubeflow", "service/minio-service", ":9000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout
        port = re.search(r":(\d+) ->", forward.stdout.readline())
        assert port
        yield f"http://127.0.0.1:{port[1]}"
        forward.terminate()


def runners_kubeconfig(path: Path, namespace: str) -> Path:
    """Write a kubeconfig with a token of the account tunesmith-runner."""
    content = json.loads(run("config", "view", "--raw", "--minify", "--flatten", "--output=json"))
    content["users"][0]["user"] = {"token": run("create", "token", "tunesmith-runner", "-n", namespace).strip()}
    path.write_text(json.dumps(content))
    return path


def test_the_search_that_the_page_shows_ends_with_a_model(
    installed: None, namespace: str, keys: dict[str, str], store: str, tmp_path: Path
) -> None:
    run("apply", "-k", build_at(tmp_path / "here", namespace, "base/experiments"))
    inside = {"AWS_ENDPOINT_URL": "http://minio-service.kubeflow:9000", **keys}
    literals = [f"--from-literal={name}={value}" for name, value in inside.items()]
    run("create", "secret", "generic", "tunesmith-storage", "-n", namespace, *literals)
    shown = re.search(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "install.md").read_text(), re.MULTILINE | re.DOTALL)
    assert shown
    content = yaml.safe_load(shown[1])
    content["cluster"] |= {"namespace": namespace, "image": IMAGE}
    (tmp_path / "search.yaml").write_text(yaml.safe_dump(content))
    environment = {"KUBECONFIG": str(runners_kubeconfig(tmp_path / "runner", namespace)), "AWS_ENDPOINT_URL": store, **keys}
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith", "search", "search.yaml", "--engine", "katib", "--json"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"] == 4
    assert (tmp_path / "runs" / "search" / "report.html").exists()
