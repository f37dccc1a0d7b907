"""A one-machine cluster leaves nothing behind: shown with a second one, in network, mount and process namespaces of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.box import builds, images, places
from tests.cluster.second_box import expected_programs

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Any]]:
    """What the machine is like before, while and after a second cluster runs on it."""
    if os.geteuid() != 0 or not all((places.BIN / program.name).exists() for program in builds.PROGRAMS):
        pytest.skip("needs root, and the programs that `make cluster` builds")
    cache = Path(tempfile.mkdtemp(prefix="box-", dir="/tmp"))  # a socket's path may not be long
    share_cache(cache / "tunesmith" / "cluster")
    command = [
        *("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc"),
        *(sys.executable, "-m", "tests.cluster.second_box"),
    ]
    done = subprocess.run(
        [*command, cache / "seen.json"],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    yield json.loads((cache / "seen.json").read_text())
    shutil.rmtree(cache)


def share_cache(cache: Path) -> None:
    """Lend the first cluster's programs and its own images to the second."""
    (cache / "images").mkdir(parents=True)
    for folder in ("bin", "crds"):
        (cache / folder).symlink_to(places.CACHE / folder)
    archives = [image.archive for image in images.PROGRAM_IMAGES] + [images.MARIADB_ARCHIVE, images.BASE_ARCHIVE]
    for archive in archives:
        (cache / "images" / archive.name).symlink_to(archive)


@pytest.mark.parametrize("start", ["up", "up again"])
def test_a_cluster_that_is_up_is_seen(seen: dict[str, Any], start: str) -> None:
    up = seen[start]
    assert expected_programs() <= set(up["processes"])
    assert {places.NODE_BRIDGE, places.POD_BRIDGE} <= set(up["interfaces"])
    assert any("KUBE-SERVICES" in rule for rule in up["rules"])
    for part in ("routes", "mounts", "cgroups"):
        assert set(up[part]) - set(seen["before"][part])


def test_a_kept_state_comes_back(seen: dict[str, Any]) -> None:
    assert seen["up again"]["kept by"] == "etcd"


@pytest.mark.parametrize("part", ["interfaces", "routes", "rules", "cgroups", "settings", "folders", "processes"])
@pytest.mark.parametrize("end", ["kept", "after"])
def test_down_leaves_the_machine_as_it_was(seen: dict[str, Any], part: str, end: str) -> None:
    assert seen[end][part] == seen["before"][part]


@pytest.mark.parametrize("end", ["kept", "after"])
def test_down_leaves_no_mount(seen: dict[str, Any], end: str) -> None:
    """Mounts may vanish meanwhile: those of other programs, which the namespace began with."""
    assert set(seen[end]["mounts"]) <= set(seen["before"]["mounts"])
