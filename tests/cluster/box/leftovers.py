"""What the programs leave behind outside their state: mounts, and a few folders whose places cannot be chosen."""

import shutil
from pathlib import Path

from tests.cluster.box.commands import run
from tests.cluster.box.places import STATE

_POD_LOGS = Path("/var/log/containers")
_NETWORK_CACHE = Path("/var/lib/cni/results")
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_SHIMS = Path("/run/containerd/s")


def unmount() -> None:
    """Unmount everything below the state, the deepest first."""
    points = [line.split()[1].encode().decode("unicode_escape") for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted((point for point in points if point.startswith(f"{STATE}/")), reverse=True):
        run(["umount", "--lazy", point])


def delete() -> None:
    """Delete the files, then each folder that nothing else has put anything into."""
    for link in _POD_LOGS.glob("*"):
        if link.is_symlink() and link.readlink().is_relative_to(STATE):
            link.unlink()
    for result in _NETWORK_CACHE.glob("tunesmith-box-*-eth0"):
        pod = result.name.removeprefix("tunesmith-box-").removesuffix("-eth0")
        result.with_name(f"cni-loopback-{pod}-lo").unlink(missing_ok=True)
        result.unlink()
    shutil.rmtree(_DEVICE_PLUGINS, ignore_errors=True)
    for folder in (_POD_LOGS, _NETWORK_CACHE, _DEVICE_PLUGINS, _SHIMS):
        for each in (folder, folder.parent):
            if each.is_dir() and each != Path("/var/log") and not any(each.iterdir()):
                each.rmdir()
