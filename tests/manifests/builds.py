"""Builds the manifests with kubectl, wherever it is: on the path, or in the one-machine cluster's cache."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunesmith" / "cluster"

# Whatever may be applied, by the name of its golden file.
FOLDERS = {
    "base": "base",
    **{
        path.parent.name: str(path.parent.relative_to(MANIFESTS))
        for path in sorted(MANIFESTS.glob("overlays/**/kustomization.yaml"))
    },
}

Object = dict[str, Any]


def kubectl() -> str:
    """Return the path of kubectl; skips the test where there is none, unless a cluster is required."""
    found = shutil.which("kubectl", path=f"{os.environ['PATH']}{os.pathsep}{CACHE / 'bin'}")
    if not found and os.environ.get("TUNESMITH_CLUSTER") == "required":
        pytest.fail("there is no kubectl; `make cluster` builds one")
    return found or pytest.skip("there is no kubectl; `make cluster` builds one")


@cache
def build(folder: Path) -> str:
    """Return what `kubectl apply -k` would apply."""
    made = subprocess.run([kubectl(), "kustomize", folder], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return made.stdout


def objects(name: str) -> list[Object]:
    """Return the objects of one of FOLDERS."""
    return [found for found in yaml.safe_load_all(build(MANIFESTS / FOLDERS[name])) if found]


def pod_specs(found: Object) -> list[Object]:
    """Return the pods that an object leads to."""
    template = found.get("spec", {}).get("template") if isinstance(found.get("spec"), dict) else None
    return [template["spec"]] if template else [found["spec"]] if found["kind"] == "Pod" else []
