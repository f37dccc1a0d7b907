"""A disk that runs full ends a search in words, and costs nothing that was finished."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.record import Record
from tunesmith.study import State


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here (it takes root and its capabilities)")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def search(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tunesmith", "search", "search.yaml", "--folder", "disk/run"]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=120)


def test_a_full_disk_is_named_and_the_search_goes_on_when_there_is_room(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "objective.py").write_text("def loss(candidate):\n    return candidate['x']\n")
    (tmp_path / "search.yaml").write_text(
        "space: {kind: parameters, parameters: {x: {uniform: [0, 1]}}}\n"
        "evaluation: {kind: function, function: 'objective.py:loss'}\nstrategy: {name: random}\nbudget: {trials: 100}\n"
    )
    (small_disk / "ballast").write_bytes(b"x" * 600 * 1024)
    done = search(tmp_path)
    assert done.returncode == 2
    assert "disk/run/study: " in done.stderr
    assert "run the same command again, nothing finished is lost" in done.stderr
    assert "Traceback" not in done.stderr
    kept = {path.parent.name for path in small_disk.glob("run/study/trials/*/outcome.json")}
    assert kept
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    again = search(tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"resuming: {len(kept)} of 100 trials are done" in again.stderr
    with Record.read(small_disk / "run/study") as record:
        assert [trial.state for trial in record.trials()] == [State.FINISHED] * 100
