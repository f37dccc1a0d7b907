"""Holds what the manifests build against the files in golden/. After an intended change: TUNESMITH_GOLDEN=write pytest THIS."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.manifests.builds import FOLDERS, MANIFESTS, build

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", FOLDERS)
def test_an_overlay_builds_its_golden_file(name: str) -> None:
    golden = GOLDEN / f"{name}.yaml"
    if os.environ.get("TUNESMITH_GOLDEN") == "write":
        golden.write_text(build(MANIFESTS / FOLDERS[name]))
    assert build(MANIFESTS / FOLDERS[name]) == golden.read_text()


def test_there_is_no_golden_file_of_an_overlay_that_is_gone() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == sorted(FOLDERS)


def test_the_algorithms_that_katib_is_told_of_are_made_from_the_registry() -> None:
    """After a new strategy: `make generate`."""
    made = subprocess.run(
        [sys.executable, "-m", "tunesmith.katib.config", "entries"], capture_output=True, text=True, check=True
    ).stdout
    assert (MANIFESTS / "base" / "cluster" / "algorithms.yaml").read_text() == made
