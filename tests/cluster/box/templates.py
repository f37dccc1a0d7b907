"""Fills this cluster's addresses and paths into its configuration files and manifests."""

import resource
import shutil
from pathlib import Path
from string import Template

from tests.cluster.box import places
from tests.cluster.box.builds import KATIB
from tests.cluster.box.images import PAUSE_IMAGE


def fill(template: Path) -> str:
    """Return the file's text with every `$$name` replaced; a KeyError tells of a name that is none of ours."""
    return Template(template.read_text()).substitute(
        state=places.STATE,
        pki=places.PKI,
        kubelet=places.KUBELET,
        containerd=places.CONTAINERD,
        socket=places.CONTAINERD_SOCKET,
        cgroup=places.CGROUP,
        node=places.NODE,
        node_address=places.NODE_ADDRESS,
        pod_bridge=places.POD_BRIDGE,
        pod_range=places.POD_RANGE,
        dns_address=places.DNS_ADDRESS,
        dns_ready_port=places.DNS_READY_PORT,
        pause_image=PAUSE_IMAGE,
        katib=KATIB,
        runc=shutil.which("runc"),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    )


def write(name: str, folder: Path = places.STATE) -> Path:
    """Fill one of the configuration files into the folder; a file that says the same already stays untouched.

    kube-proxy ends when its file is written anew.
    """
    target = folder / name
    text = fill(places.CONFIG / name)
    if not target.exists() or target.read_text() != text:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return target
