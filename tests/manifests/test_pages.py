"""What the platform engineer's pages say agrees with the pipeline, the manifests and the Makefile."""

import json
import re
from typing import Any

import yaml

from tests.manifests.builds import MANIFESTS, ROOT
from tunesmith.sections import ClusterSpec

DOCS = ROOT / "docs"
PAGES = [DOCS / f"{name}.md" for name in ("install", "first-run", "gpu", "air-gapped", "uninstall", "troubleshooting")]


def pipeline() -> Any:
    """Return the pipeline `tune` as it is compiled."""
    documents = yaml.safe_load_all((ROOT / "tests" / "pipelines" / "golden" / "tune.yaml").read_text())
    return next(iter(documents))["root"]


def test_the_fields_of_the_first_run_are_the_pipelines() -> None:
    text = (DOCS / "first-run.md").read_text()
    table = text[text.index("| field | value |") :].partition("\n\n")[0]
    fields = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert "engine" in fields
    assert set(fields) <= set(pipeline()["inputDefinitions"]["parameters"])


def test_the_cluster_field_of_the_first_run_is_valid() -> None:
    shown = re.search(r"\| `cluster` \| `(\{.*?\})` \|", (DOCS / "first-run.md").read_text())
    assert shown
    assert ClusterSpec.model_validate(json.loads(shown[1])).service_account == "tunesmith-trial"


def test_the_steps_of_the_first_run_are_the_pipelines() -> None:
    text = (DOCS / "first-run.md").read_text()
    assert [step for step in pipeline()["dag"]["tasks"] if f"| `{step}` |" not in text] == []


def test_every_folder_and_file_of_the_manifests_that_a_page_names_exists() -> None:
    for page in PAGES:
        for path in re.findall(r"(?<![\w/])manifests(?:/[\w.-]+)+", page.read_text()):
            assert (ROOT / path.rstrip(".")).exists(), (page.name, path)


def test_every_overlay_is_explained() -> None:
    text = "".join(page.read_text() for page in PAGES)
    for overlay in (MANIFESTS / "overlays").iterdir():
        assert f"manifests/overlays/{overlay.name}" in text, overlay.name


def test_the_labels_and_names_of_the_pages_are_those_of_the_manifests() -> None:
    """Whatever a page calls tunesmith-something is an object of the manifests, an image, or made in the page itself."""
    built = (
        "".join(path.read_text() for path in MANIFESTS.rglob("*.yaml"))
        + "tunesmith-python tunesmith-storage tunesmith-config-remove"
    )
    for page in PAGES:
        for name in set(re.findall(r"`(tunesmith-[a-z-]*[a-z])`", page.read_text())):
            assert name in built, (page.name, name)


def test_the_last_check_of_uninstalling_asks_for_every_kind_of_object_that_is_installed() -> None:
    text = "".join(path.read_text() for path in (MANIFESTS / "base").rglob("*.yaml"))
    text += "".join(path.read_text() for path in (MANIFESTS / "overlays").rglob("*.yaml"))
    kinds = set(re.findall(r"^kind: (\w+)$", text, re.MULTILINE)) - {"Kustomization"}
    asked = re.findall(r"^    kubectl get ([a-z,]+) .*part-of=tunesmith", (DOCS / "uninstall.md").read_text(), re.MULTILINE)
    plurals = {re.sub("sss$", "sses", re.sub("ys$", "ies", f"{kind.lower()}s")) for kind in kinds}
    assert plurals - set(",".join(asked).split(",")) == set()
