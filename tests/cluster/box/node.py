"""The cluster's programs with their flags: what each is told and when it is ready."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.box import processes, templates
from tests.cluster.box.certificates import kubeconfig
from tests.cluster.box.commands import kubectl, kubectl_succeeds, succeeds
from tests.cluster.box.errors import BoxError
from tests.cluster.box.images import CTR
from tests.cluster.box.places import (
    API_PORT,
    BIN,
    DNS_READY_PORT,
    ETCD_PORT,
    GPUS,
    KUBELET,
    NODE,
    NODE_ADDRESS,
    PKI,
    SERVICE_RANGE,
    STATE,
)

LOCAL = "127.0.0.1"
NAMES = (
    *("fakegpu", "kubelet", "kube-proxy", "coredns", "kube-scheduler", "kube-controller-manager"),
    *("containerd", "kube-apiserver", "etcd"),
)
"""Every program, in the order in which they are stopped."""
_SIGNING = {
    "requestheader-client-ca-file": PKI / "front-proxy-ca.crt",
    "client-ca-file": PKI / "ca.crt",
    "profiling": "false",
}


def start_etcd() -> None:
    """Start the cluster's database; a single member, whose files need not outlive a power cut."""
    client, peer = (f"http://{LOCAL}:{port}" for port in (ETCD_PORT, ETCD_PORT + 1))
    flags = {
        "name": NODE,
        "data-dir": STATE / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{NODE}={peer}",
    }
    ports = [(LOCAL, ETCD_PORT), (LOCAL, ETCD_PORT + 1)]
    processes.start("etcd", ["etcd", *_flags(flags), "--unsafe-no-fsync"], ports)
    processes.wait_for_process("etcd", "etcd is healthy", lambda: _answers(f"{client}/health"), 30)


def start_apiserver() -> None:
    """Start the API; it takes a few seconds until `wait_for_api`."""
    flags = {
        "etcd-servers": f"http://{LOCAL}:{ETCD_PORT}",
        "bind-address": NODE_ADDRESS,
        "advertise-address": NODE_ADDRESS,
        "secure-port": API_PORT,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "tls-cert-file": PKI / "apiserver.crt",
        "tls-private-key-file": PKI / "apiserver.key",
        "kubelet-certificate-authority": PKI / "ca.crt",
        "kubelet-client-certificate": PKI / "apiserver-kubelet.crt",
        "kubelet-client-key": PKI / "apiserver-kubelet.key",
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": PKI / "service-account.pub",
        "service-account-signing-key-file": PKI / "service-account.key",
        "service-cluster-ip-range": SERVICE_RANGE,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": PKI / "front-proxy.crt",
        "proxy-client-key-file": PKI / "front-proxy.key",
        # Debian's etcd 3.4 cannot tell a watch's progress: some clients would lag by 30 s a step.
        "feature-gates": "WatchList=false",
        **_SIGNING,
    }
    processes.start("kube-apiserver", [BIN / "kube-apiserver", *_flags(flags)], [(NODE_ADDRESS, API_PORT)])


def wait_for_api() -> None:
    """Wait until the API answers."""
    name = "kube-apiserver"
    processes.wait_for_process(name, "the API is ready", lambda: kubectl_succeeds("get", "--raw", "/readyz"), 90)


def start_containerd() -> None:
    """Start what runs containers, with its own network configuration."""
    templates.write("network.conflist", STATE / "network")
    processes.start("containerd", ["containerd", "--config", templates.write("containerd.toml")])
    processes.wait_for_process("containerd", "containerd is ready", lambda: succeeds([*CTR, "version"]), 30)


def start_controllers() -> None:
    """Start the controller manager and the scheduler."""
    own = {"bind-address": LOCAL, "leader-elect": "false", "profiling": "false"}
    manager = {
        "use-service-account-credentials": "true",
        "service-account-private-key-file": PKI / "service-account.key",
        "root-ca-file": PKI / "ca.crt",
        "cluster-signing-cert-file": PKI / "ca.crt",
        "cluster-signing-key-file": PKI / "ca.key",
        **own,
        **_SIGNING,
    }
    _start_client("kube-controller-manager", manager, 10257)
    _start_client("kube-scheduler", own, 10259)


def start_node() -> None:
    """Start the kubelet, the services' proxy and the simulated GPUs."""
    flags = {
        "config": templates.write("kubelet.yaml"),
        "kubeconfig": kubeconfig("kubelet"),
        "root-dir": KUBELET,
        "hostname-override": NODE,
        "node-ip": NODE_ADDRESS,
        "v": 2,
    }
    processes.start("kubelet", [BIN / "kubelet", *_flags(flags)], [(NODE_ADDRESS, 10250), (LOCAL, 10248)])
    proxy = {"config": templates.write("kube-proxy.yaml")}
    processes.start("kube-proxy", [BIN / "kube-proxy", *_flags(proxy)], [(LOCAL, 10249), (LOCAL, 10256)])
    processes.start("fakegpu", [BIN / "fakegpu", "-count", str(GPUS)])


def start_dns(manifest: Path) -> None:
    """Start CoreDNS, once the API knows what it may read."""
    kubectl("apply", "-f", "-", stdin=templates.fill(manifest))
    ports = [(NODE_ADDRESS, 53), (LOCAL, DNS_READY_PORT)]
    processes.start("coredns", [BIN / "coredns", "-conf", templates.write("Corefile")], ports)


def wait_for_node() -> None:
    """Wait until pods can be started and find each other by name."""
    processes.wait_for_process("kubelet", f"the node has {GPUS} GPUs and is ready", _is_node_ready, 90)
    processes.wait_for_process("coredns", "DNS is ready", lambda: _answers(f"http://{LOCAL}:{DNS_READY_PORT}/ready"), 60)
    account = ("--namespace=default", "get", "serviceaccount", "default")
    processes.wait_for_process("kube-controller-manager", "service accounts are made", lambda: kubectl_succeeds(*account), 60)


def _is_node_ready() -> bool:
    try:
        status = json.loads(kubectl("get", "node", NODE, "--output=json"))["status"]
    except BoxError:
        return False  # not registered yet
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in status["conditions"])
    return ready and status["allocatable"].get("nvidia.com/gpu") == str(GPUS)


def _start_client(name: str, flags: Mapping[str, object], port: int) -> None:
    config = kubeconfig(name)
    access = {"kubeconfig": config, "authentication-kubeconfig": config, "authorization-kubeconfig": config}
    processes.start(name, [BIN / name, *_flags({**access, **flags})], [(LOCAL, port)])


def _flags(flags: Mapping[str, object]) -> Sequence[str]:
    return [f"--{name}={value}" for name, value in flags.items()]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
