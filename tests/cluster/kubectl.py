"""Runs kubectl against the cluster under test: the one of KUBECONFIG, else that of `make cluster`."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from tests.cluster.box import places
from tests.manifests.builds import MANIFESTS, ROOT, kubectl


def kubeconfig() -> str:
    """Return the path of the kubeconfig."""
    return os.environ.get("KUBECONFIG") or str(places.KUBECONFIG)


def attempt(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run kubectl in the checkout, `text` on its standard input."""
    command = [kubectl(), "--kubeconfig", kubeconfig(), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)


def run(*arguments: str, text: str | None = None) -> str:
    """Run kubectl; returns what it prints, a failure fails the test."""
    done = attempt(*arguments, text=text)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def read(*arguments: str) -> Any:
    """Return what `kubectl get` finds."""
    return json.loads(run("get", *arguments, "--output=json"))


def build_at(folder: Path, namespace: str, *parts: str, patches: str = "") -> str:
    """Write a kustomization of parts of the manifests in a namespace; returns its folder."""
    up = Path("../" * len(folder.parents))
    listed = "".join(f"- {up / (MANIFESTS / part).relative_to('/')}\n" for part in parts)
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(f"namespace: {namespace}\nresources:\n{listed}{patches}")
    return str(folder)


def shown_commands(page: str) -> list[list[str]]:
    """Return the kubectl commands that a page of the docs shows, less their first word; none that ends with &, to run on."""
    lines = re.findall(r"^    kubectl (.+[^&])$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]
