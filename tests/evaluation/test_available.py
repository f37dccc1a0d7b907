"""What memory a process may still take, by each of the limits that it may be under."""

import resource
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from tunesmith.evaluation import _available
from tunesmith.evaluation._available import available_bytes

MIB = 2**20


def within(monkeypatch: pytest.MonkeyPatch, folder: Path, own: str, files: Mapping[str, object]) -> None:
    """Put this process into control groups with these files."""
    for name, content in {"own": own, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{content}\n")
    monkeypatch.setattr(_available, "OWN_GROUPS", folder / "own")
    monkeypatch.setattr(_available, "ALL_GROUPS", folder)


def test_without_limits_it_is_what_the_machine_has_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    within(monkeypatch, tmp_path, "0::/", {"memory.max": "max", "memory.current": 5, "memory.stat": "anon 1"})
    assert available_bytes() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_the_limit_of_a_group_counts_without_what_the_system_takes_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use = {"memory.current": 60 * MIB, "memory.stat": f"anon {30 * MIB}\ninactive_file {20 * MIB}"}
    within(monkeypatch, tmp_path, "0::/", {"memory.max": 100 * MIB, **use})
    assert available_bytes() == 60 * MIB


@pytest.mark.parametrize("place", ["a", "a/b"])
def test_the_groups_above_count_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str) -> None:
    files = {"memory.max": 8 * MIB, "memory.current": MIB, "memory.stat": "anon 1"}
    within(monkeypatch, tmp_path, "0::/a/b", {f"{place}/{name}": value for name, value in files.items()})
    assert available_bytes() == 7 * MIB


def test_groups_of_the_first_version_count_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stat = f"total_inactive_file {MIB}"
    files = {"memory.limit_in_bytes": 8 * MIB, "memory.usage_in_bytes": 3 * MIB, "memory.stat": stat}
    own = "5:devices:/\n4:memory:/of/the/host"
    within(monkeypatch, tmp_path, own, {f"memory/{name}": value for name, value in files.items()})
    assert available_bytes() == 6 * MIB


def test_a_group_that_is_full_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    within(monkeypatch, tmp_path, "0::/", {"memory.max": 5, "memory.current": 9, "memory.stat": "anon 1"})
    assert available_bytes() == 0


def test_the_limit_of_the_process_itself_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = psutil.Process().memory_info().vms + 50 * MIB
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert available_bytes() == pytest.approx(50 * MIB, abs=5 * MIB)
