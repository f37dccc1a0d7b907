"""The manifests, and what the platform engineer's pages show, on a real cluster."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kubectl import attempt, run, shown_commands
from tests.manifests.builds import FOLDERS, MANIFESTS, ROOT, build, objects

pytestmark = pytest.mark.cluster

PROFILE = "kubeflow-user-example-com"
PAGES = ["install.md", "first-run.md", "gpu.md", "air-gapped.md", "uninstall.md", "troubleshooting.md"]
DRY = {"create", "patch", "label"}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_api_server_accepts_every_object(installed: None, name: str) -> None:
    found = objects(name)
    for item in found:
        if item["metadata"].get("namespace") == PROFILE:
            item["metadata"]["namespace"] = "experiments"
        if item["kind"] == "Job":
            # Of the one that may be there nothing could be changed.
            item["metadata"]["name"] = f"dry-{uuid.uuid4().hex[:8]}"
    said = run("apply", "--dry-run=server", "--filename=-", text=yaml.safe_dump_all(found)).splitlines()
    assert len(said) == len(found)


def test_applied_again_nothing_changes(installed: None) -> None:
    said = run("apply", "-k", "manifests/overlays/dev").splitlines()
    assert [line for line in said if not line.endswith("unchanged") and "job.batch" not in line] == []


def objects_shown() -> list[Any]:
    block = re.compile(r"^```yml\n(.*?)^```", re.MULTILINE | re.DOTALL)
    found = [(page, text) for page in PAGES for text in block.findall((ROOT / "docs" / page).read_text())]
    return [pytest.param(text, id=f"{page}-{i}") for i, (page, text) in enumerate(found)]


@pytest.mark.parametrize("text", objects_shown())
def test_objects_that_the_docs_show_are_accepted(installed: None, namespace: str, text: str, tmp_path: Path) -> None:
    shown = yaml.safe_load(text)
    if "kind" in shown and shown["kind"] != "Kustomization":
        shown["metadata"]["namespace"] = namespace
        assert "dry run" in run("apply", "--dry-run=server", "--filename=-", text=json.dumps(shown))
        return
    (tmp_path / "manifests").symlink_to(MANIFESTS)
    (tmp_path / "kustomization.yaml").write_text(text)
    build(tmp_path)


@pytest.mark.parametrize(
    "page", ["install.md", "gpu.md", "air-gapped.md", "uninstall.md", "troubleshooting.md", "first-run.md"]
)
def test_commands_that_the_docs_show_are_understood(installed: None, namespace: str, page: str) -> None:
    """Those that read are run, those that change something are run dry; names in capitals may be of nothing that exists."""
    for command in shown_commands(page):
        words = [namespace if word in ("team-a", "NAMESPACE") else word for word in command]
        if words[0] in ("apply", "wait", "delete") or words[:2] == ["logs", "-n"]:
            continue
        done = attempt(*words, *(["--dry-run=server"] if words[0] in DRY else []))
        assert done.returncode == 0 or "NotFound" in done.stderr or "not found" in done.stderr, (command, done.stderr)
