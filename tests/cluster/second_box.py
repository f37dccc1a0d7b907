"""Starts and stops a second one-machine cluster twice, and writes down what the machine is like before, meanwhile and after.

To be run as `unshare --mount --net --pid --fork --mount-proc python -m tests.cluster.second_box OUTPUT`, with XDG_CACHE_HOME
set to a cache of its own: then it sees neither the first cluster's network nor its processes.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.cluster.box import cluster, node, places
from tests.cluster.box.commands import kubectl, run
from tests.cluster.box.network import CHANGED

SHARED = ("/var/lib/kubelet", "/var/lib/cni", "/run/containerd", "/var/log/containers")
"""Folders of fixed places that the first cluster uses as well."""
WATCHED = ("/etc", "/etc/cni", "/opt", "/run", "/run/containerd", "/usr/libexec", "/var/lib", "/var/lib/cni", "/var/log")


def main(output: Path) -> None:
    run(["ip", "link", "set", "lo", "up"])
    for folder in SHARED:
        if Path(folder).exists():
            run(["mount", "-t", "tmpfs", "tmpfs", folder])
            (Path(folder) / "of-others").touch()
    seen = {"before": look()}
    try:
        cluster.up()
        seen["up"] = look()
        kubectl("create", "configmap", "kept", "--from-literal=by=etcd")
        cluster.down(keep_state=True)
        seen["kept"] = look()
        cluster.up()
        seen["up again"] = {**look(), "kept by": kubectl("get", "configmap", "kept", "--output=jsonpath={.data.by}")}
    finally:
        cluster.down()
        seen["after"] = look()
        output.write_text(json.dumps(seen))


def look() -> dict[str, Any]:
    """Return everything of the machine that a cluster changes while it runs."""
    return {
        "interfaces": sorted(link["ifname"] for link in json.loads(run(["ip", "-json", "link"]))),
        "routes": run(["ip", "route"]).splitlines(),
        "rules": [line for family in ("iptables", "ip6tables") for line in rules(family)],
        "mounts": sorted(mounts()),
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").rglob("*/tunesmith-*")),
        "settings": {name: setting(name) for name in CHANGED},
        "folders": {folder: sorted(path.name for path in Path(folder).glob("*")) for folder in WATCHED},
        "processes": sorted(programs()),
    }


def mounts() -> list[str]:
    """The mount points; those of the first cluster, which come and go with its pods, are left out."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in points if "/tunesmith/cluster/state/" not in point or point.startswith(str(places.STATE))]


def rules(family: str) -> list[str]:
    """The rules and the chains that are not the kernel's own; empty tables that the first look-up made do not count."""
    lines = run([f"{family}-save"]).splitlines()
    return [f"{family} {line}" for line in lines if line.startswith("-A") or (line.startswith(":") and " - [" in line)]


def setting(name: str) -> str | None:
    path = Path("/proc/sys") / name.replace(".", "/")
    return path.read_text().strip() if path.exists() else None


def programs() -> list[str]:
    """The programs of this process namespace, zombies and this one left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        command = (folder / "cmdline").read_bytes().split(b"\0")[0].decode() if folder.exists() else ""
        if command and folder.name != "1":
            found.append(Path(command).name)
    return found


def expected_programs() -> set[str]:
    """What runs at least while a cluster is up."""
    return set(node.NAMES) | {"pause", "katib-controller", "katib-db-manager", "mariadbd", "minio"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
