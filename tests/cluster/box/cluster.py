"""Brings the whole cluster up and down, in the right order."""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.box import builds, certificates, cgroups, images, katib, leftovers, network, node, packages, processes
from tests.cluster.box.commands import kubectl, kubectl_succeeds, run, say, succeeds
from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import (
    CACHE,
    CONTAINERD_SOCKET,
    IMAGES,
    KUBECONFIG,
    LOCK,
    MANIFESTS,
    READY,
    STATE,
)

_LONGEST_SOCKET_PATH = 107


def up() -> None:
    """Start what does not run yet; with the state of an earlier start in about 15 seconds, from nothing in about 15 minutes."""
    with _alone():
        packages.install(packages.TO_RUN)
        if len(str(CONTAINERD_SOCKET)) > _LONGEST_SOCKET_PATH:
            raise BoxError(f"the path {CONTAINERD_SOCKET} is too long for a socket: set XDG_CACHE_HOME to a shorter one")
        builds.build()
        images.build()
        _start()
        katib.install()
        katib.wait()
        READY.write_text(f"{KUBECONFIG}\n")
    say("the cluster is up")
    print(f"export KUBECONFIG={KUBECONFIG}")


def down(keep_state: bool = False) -> None:
    """Stop everything, and leave the machine as it was; the state (etcd, images, databases) stays only with `keep_state`."""
    with _alone():
        READY.unlink(missing_ok=True)
        _stop()
        if not keep_state:
            shutil.rmtree(STATE, ignore_errors=True)
    say("the cluster is down, its state is " + ("kept" if keep_state else "deleted; programs and images stay in the cache"))


def base() -> None:
    """Make the base image alone, in buildah's storage and as an archive."""
    with _alone():
        packages.install(packages.TO_BUILD)
        images.build_base()
    print(images.BASE_IMAGE)


def load(archives: list[Path]) -> None:
    """Import image archives into the running cluster."""
    if not processes.is_running("containerd"):
        raise BoxError("the cluster is not up: `make cluster` imports every archive that lies in " + str(IMAGES))
    images.load(archives)


def status() -> bool:
    """Print what runs; returns whether all of it does."""
    for name in reversed(node.NAMES):
        print(f"{name:24} {'runs' if processes.is_running(name) else 'does not run'}")
    if not all(processes.is_running(name) for name in node.NAMES):
        return False
    answers = kubectl_succeeds("get", "--raw", "/readyz")
    print(f"{'the API':24} {'answers' if answers else 'does not answer'}")
    if answers:
        print(kubectl("get", "nodes,pods", "--all-namespaces", "--output=wide"))
    return answers


def _start() -> None:
    say("starting")
    STATE.mkdir(parents=True, exist_ok=True)
    certificates.make()
    network.up()
    cgroups.up()
    node.start_etcd()
    node.start_apiserver()
    node.start_containerd()
    images.load(sorted(IMAGES.glob("*.tar")))
    node.wait_for_api()
    node.start_controllers()
    node.start_node()
    node.start_dns(MANIFESTS / "dns.yaml")
    node.wait_for_node()


def _stop() -> None:
    for name in node.NAMES[: node.NAMES.index("containerd")]:
        processes.stop(name)
    if processes.is_running("containerd"):
        _remove_containers()
    for name in node.NAMES[node.NAMES.index("containerd") :]:
        processes.stop(name)
    _end_shims()
    cgroups.kill()
    leftovers.unmount()
    cgroups.down()
    network.down()
    leftovers.delete()


def _remove_containers() -> None:
    """Remove all containers at once, so that a kept state starts anew without ghosts."""
    tasks = run([*images.CTR, "tasks", "list", "--quiet"]).split()
    succeeds([*images.CTR, "tasks", "delete", "--force", *tasks])
    containers = run([*images.CTR, "containers", "list", "--quiet"]).split()
    succeeds([*images.CTR, "containers", "delete", *containers])


def _end_shims() -> None:
    """End the process that each pod has of containerd, and that outlives it: ours have our socket in their command line."""
    ours = f"-address {CONTAINERD_SOCKET}"
    deadline = time.monotonic() + 5
    while processes.pids_with(ours) and time.monotonic() < deadline:
        time.sleep(0.1)  # one whose pod is removed ends by itself, and takes its socket along
    processes.kill_all(processes.pids_with(ours))


@contextmanager
def _alone() -> Iterator[None]:
    """Keep a second `up` or `down` of the same cache waiting until this one is done; only root waits at all."""
    packages.demand_root()
    CACHE.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another `python -m tests.cluster.box`")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
