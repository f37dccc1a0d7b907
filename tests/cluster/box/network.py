"""The node's network: two bridges, a route, a few iptables rules and kernel settings; all of it is taken back."""

import ipaddress
import json
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.box.commands import run, succeeds
from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import NODE_ADDRESS, NODE_BRIDGE, NODE_RANGE, POD_BRIDGE, POD_RANGE, SERVICE_RANGE, STATE

_MARK = "tunesmith-box"
_RULES = (
    # A service's address that kube-proxy has not programmed yet is refused. It must not leave by the default route, where
    # something else may answer: Katib then takes that answer for its algorithm's and skips the validation.
    *(("filter", chain, "-d", SERVICE_RANGE, "-j", "REJECT") for chain in ("FORWARD", "OUTPUT")),
    *(("filter", "FORWARD", side, POD_RANGE, "-j", "ACCEPT") for side in ("-s", "-d")),
    ("nat", "POSTROUTING", "-s", POD_RANGE, "!", "-d", POD_RANGE, "-j", "MASQUERADE"),
)
_WANTED = {"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"}
# What the kubelet and the network plugin set on their own besides.
CHANGED = (
    *_WANTED,
    *("vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops"),
    *("kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes", "net.ipv4.conf.all.route_localnet"),
)
_BEFORE = STATE / "kernel-settings.json"


def up() -> None:
    """Make the network; raises BoxError where this machine uses one of the cluster's address ranges already."""
    if not _exists(NODE_BRIDGE):
        _refuse_overlaps()
        _refuse_other_kubernetes()
        run(["ip", "link", "add", NODE_BRIDGE, "type", "bridge"])
    run(["ip", "address", "replace", f"{NODE_ADDRESS}/24", "dev", NODE_BRIDGE])
    run(["ip", "link", "set", NODE_BRIDGE, "up"])
    # So that the apiserver reaches a webhook's service address even without a default route.
    run(["ip", "route", "replace", SERVICE_RANGE, "dev", NODE_BRIDGE])
    for table, chain, *rule in _RULES:
        words = [chain, *rule, "-m", "comment", "--comment", _MARK]
        if not succeeds(["iptables", "-w", "-t", table, "-C", *words]):
            run(["iptables", "-w", "-t", table, "-A", *words])
    if not _path("net.bridge.bridge-nf-call-iptables").exists():
        succeeds(["modprobe", "br_netfilter"])  # kernels that have it built in, or not at all, do as well
    _note_kernel_settings()
    for name, value in _WANTED.items():
        _set(name, value)


def down() -> None:
    """Take back all that `up`, kube-proxy and the kubelet made."""
    for bridge in (POD_BRIDGE, NODE_BRIDGE):
        if _exists(bridge):
            run(["ip", "link", "delete", bridge])
    for family in ("iptables", "ip6tables"):
        _remove_rules(family)
    if _BEFORE.exists():
        for name, value in json.loads(_BEFORE.read_text()).items():
            _set(name, value)
        _BEFORE.unlink()


def _remove_rules(family: str) -> None:
    """Delete kube-proxy's and the kubelet's chains, all rules that lead there, and our own rules; nothing else."""
    for table, lines in _tables(run([f"{family}-save"])):
        chains = [line.split()[0][1:] for line in lines if line.startswith(":KUBE-")]
        rules = [line for line in lines if line.startswith("-A ") and not line.startswith("-A KUBE-")]
        ours = [f"-D{rule[2:]}" for rule in rules if _MARK in rule or "KUBE-" in rule]
        if chains or ours:
            # Naming a chain empties it, and an empty chain can be deleted.
            commands = [f"*{table}", *(f":{chain} - [0:0]" for chain in chains), *ours, *(f"-X {chain}" for chain in chains)]
            run([f"{family}-restore", "-w", "--noflush"], stdin="\n".join([*commands, "COMMIT", ""]))


def _tables(saved: str) -> Iterable[tuple[str, list[str]]]:
    """Each table of iptables-save's output with its lines."""
    for part in f"\n{saved}".split("\n*")[1:]:
        table, *lines = part.splitlines()
        yield table, lines


def _refuse_overlaps() -> None:
    ranges = [ipaddress.ip_network(text) for text in (NODE_RANGE, POD_RANGE, SERVICE_RANGE)]
    for route in json.loads(run(["ip", "-json", "-4", "route", "show"])):
        if route["dst"] == "default":
            continue
        taken = ipaddress.ip_network(route["dst"])
        for mine in ranges:
            if taken.overlaps(mine):
                raise BoxError(
                    f"the cluster needs the addresses {mine}, but `ip route` has {taken} on {route.get('dev', 'a device')}: "
                    "take that network down, or set KUBECONFIG to another cluster"
                )


def _refuse_other_kubernetes() -> None:
    if ":KUBE-" in run(["iptables-save"]):
        raise BoxError(
            "this machine has a Kubernetes of its own (iptables has KUBE- chains), and two would fight over them: "
            "set KUBECONFIG to that one, or stop it and remove its chains"
        )


def _note_kernel_settings() -> None:
    if not _BEFORE.exists():
        values = {name: _path(name).read_text().strip() for name in CHANGED if _path(name).exists()}
        _BEFORE.write_text(json.dumps(values, indent=2))


def _set(name: str, value: str) -> None:
    if not _path(name).exists():
        return
    if _path(name).read_text().strip() != value:
        _path(name).write_text(value)


def _path(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")


def _exists(link: str) -> bool:
    return succeeds(["ip", "link", "show", "dev", link])
