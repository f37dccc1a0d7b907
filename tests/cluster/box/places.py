"""Where everything lies on this machine, and the cluster's addresses."""

import hashlib
import os
from pathlib import Path

HERE = Path(__file__).parent
GO = HERE.parent / "go"
CONFIG = HERE / "config"
MANIFESTS = HERE / "manifests"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunesmith" / "cluster"
BIN = CACHE / "bin"
CRDS = CACHE / "crds"
IMAGES = CACHE / "images"
ROOTS = CACHE / "roots"
LOCK = CACHE / "lock"
READY = CACHE / "READY"
"""Has the kubeconfig's path while the cluster is up."""

STATE = CACHE / "state"
PKI = STATE / "pki"
LOGS = STATE / "log"
PIDS = STATE / "pids"
KUBELET = STATE / "kubelet"
CONTAINERD = STATE / "containerd"
CONTAINERD_SOCKET = CONTAINERD / "containerd.sock"
KUBECONFIG = STATE / "admin.conf"

NODE = "box"
NODE_ADDRESS = "172.30.0.1"
NODE_RANGE = "172.30.0.0/24"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
NODE_BRIDGE = "tunesmith0"
POD_BRIDGE = "tunesmith1"
API_PORT = 6443
ETCD_PORT = 12379
DNS_READY_PORT = 18181
GPUS = 4

CGROUP = f"tunesmith-{hashlib.sha256(str(STATE).encode()).hexdigest()[:8]}"
"""Parent of all pods' cgroups: the box never touches those of another Kubernetes."""
