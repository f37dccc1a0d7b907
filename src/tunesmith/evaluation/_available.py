"""How much memory this process may still take: what the machine has free, its control groups allow, and its own limit."""

import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

OWN_GROUPS = Path("/proc/self/cgroup")
ALL_GROUPS = Path("/sys/fs/cgroup")
# By the controllers that a line of /proc/self/cgroup names, those of version 2 first: the limit, the use, and the part of it
# that the system takes back as soon as it is needed.
FILES = {
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def available_bytes() -> int:
    """Return how many bytes this process can still take before it is refused them or killed."""
    return max(0, min([psutil.virtual_memory().available, *_left_to_process(), *_left_to_groups()]))


def _left_to_process() -> Iterator[int]:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        yield limit - psutil.Process().memory_info().vms


def _left_to_groups() -> Iterator[int]:
    """Yield what each of the control groups that this process is in leaves it; a container sees its own as the topmost."""
    for line in OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.is_file() else ():
        _, controllers, path = line.split(":", 2)
        if controllers not in FILES:
            continue
        top = ALL_GROUPS / controllers
        own = top / path.strip("/")
        for group in (own, *own.parents):
            if group.is_relative_to(top):
                yield from _left_to_group(group, *FILES[controllers])


def _left_to_group(group: Path, limit: str, use: str, given_back: str) -> Iterator[int]:
    # No limit is the word "max"; a group seen from within a container may have no files here.
    with suppress(OSError, ValueError):
        allowed, used = (int((group / name).read_text()) for name in (limit, use))
        statistics = dict(line.split(maxsplit=1) for line in (group / "memory.stat").read_text().splitlines())
        yield allowed - used + int(statistics.get(given_back, 0))
