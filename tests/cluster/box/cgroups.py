"""The parent cgroup of all pods, under cgroup v1, v2 and the mixture of both."""

import errno
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.box.commands import wait_for
from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import CGROUP
from tests.cluster.box.processes import kill_all

_ROOT = Path("/sys/fs/cgroup")
_V2_CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "io")


def up() -> None:
    """Make the parent in every hierarchy; raises BoxError where this machine does not let us."""
    try:
        if _is_v2():
            _make_v2()
        else:
            _make_v1()
    except OSError as error:
        raise BoxError(
            f"cannot make the pods' cgroup {error.filename}: {error.strerror}. Within a container, start it privileged and "
            "with a cgroup namespace of its own, whose root holds no process"
        ) from error


def kill() -> None:
    """Kill every process that still is in a pod."""
    for parent in _parents():
        for procs in parent.rglob("cgroup.procs"):
            kill_all([int(pid) for pid in procs.read_text().split() if pid != "0"])


def down() -> None:
    """Remove the parent and all below it; killed processes may take a moment to leave."""
    wait_for("no pod is left", lambda: all(_is_removed(parent) for parent in list(_parents())), 20)


def _is_removed(parent: Path) -> bool:
    try:
        for folder in sorted((path for path in parent.rglob("*") if path.is_dir()), reverse=True):
            folder.rmdir()
        parent.rmdir()
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


def _make_v1() -> None:
    missing = {"cpu", "memory"} - {folder.name for folder in _hierarchies()}
    if missing:
        raise BoxError(f"/sys/fs/cgroup has no hierarchy for {', '.join(sorted(missing))}: mount cgroup v1 or v2 there")
    for hierarchy in _hierarchies():
        (hierarchy / CGROUP).mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):  # empty in a new cgroup, and then no process may enter it
            if (hierarchy / name).exists():
                (hierarchy / CGROUP / name).write_text((hierarchy / name).read_text())


def _make_v2() -> None:
    there = (_ROOT / "cgroup.controllers").read_text().split()
    on = (_ROOT / "cgroup.subtree_control").read_text().split()
    wanted = [f"+{name}" for name in _V2_CONTROLLERS if name in there and name not in on]
    if wanted:
        (_ROOT / "cgroup.subtree_control").write_text(" ".join(wanted))
    (_ROOT / CGROUP).mkdir(exist_ok=True)


def _is_v2() -> bool:
    return (_ROOT / "cgroup.controllers").exists()


def _hierarchies() -> list[Path]:
    """The v1 hierarchies by folder, and v2's in a mixture; a second name of one (cpuacct -> cpu,cpuacct) is left out."""
    return [path for path in _ROOT.iterdir() if path.is_dir() and not path.is_symlink() and (path / "cgroup.procs").exists()]


def _parents() -> Iterator[Path]:
    for hierarchy in (_ROOT, *_hierarchies()):
        if (hierarchy / CGROUP).is_dir():
            yield hierarchy / CGROUP
