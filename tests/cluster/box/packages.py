"""Installs the Debian packages that the cluster needs, without starting their services."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.box.commands import run, say
from tests.cluster.box.errors import BoxError

TO_BUILD = {"buildah": "buildah", "debootstrap": "debootstrap", "runc": "runc"}
"""Program to Debian package: for the images. buildah runs an image's commands with runc, which Debian only recommends to it."""

TO_RUN = {
    **TO_BUILD,
    "etcd": "etcd-server",
    "containerd": "containerd",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "ip": "iproute2",
    "sysctl": "procps",
}
_SERVICES = {"etcd-server": "etcd", "containerd": "containerd"}
_POLICY = Path("/usr/sbin/policy-rc.d")


def demand_root() -> None:
    """Raise BoxError for a user who is not root."""
    if os.geteuid() != 0:
        raise BoxError(
            "the one-machine cluster needs root (network, mounts, cgroups): run it as root, for example with sudo -E"
        )


def install(programs: dict[str, str]) -> None:
    """Install the packages of those programs that are not there; raises BoxError without apt-get."""
    missing = sorted({package for program, package in programs.items() if shutil.which(program) is None})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise BoxError(f"this machine has no apt-get: install {', '.join(missing)} by your system's means, then try again")
    say(f"installing {', '.join(missing)}")
    with _no_services():
        run(["apt-get", "update", "-qq"])
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], DEBIAN_FRONTEND="noninteractive")
    services = [service for package, service in _SERVICES.items() if package in missing]
    if services and shutil.which("systemctl"):
        run(["systemctl", "disable", "--quiet", *services])


@contextmanager
def _no_services() -> Iterator[None]:
    """Forbid packages to start services for the time of the block, as Debian's policy describes it."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
