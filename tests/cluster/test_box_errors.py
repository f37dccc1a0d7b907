"""What the one-machine cluster says where this machine does not let it start; none of it needs a cluster."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.box import commands, network, packages, processes
from tests.cluster.box.__main__ import main
from tests.cluster.box.errors import BoxError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace, which needs root")
CALL = f"{sys.executable} -c 'from tests.cluster.box import network; network.{{}}()'"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The logs and process ids of this test's own programs."""
    monkeypatch.setattr(processes, "LOGS", tmp_path / "log")
    monkeypatch.setattr(processes, "PIDS", tmp_path / "pids")


@pytest.fixture
def sleeper() -> Iterator[None]:
    processes.start("sleeper", ["sleep", "600"])
    yield
    processes.stop("sleeper")


def test_a_user_without_root_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["up"]) == 2
    assert "needs root" in capsys.readouterr().err


def test_a_machine_without_apt_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BoxError, match="no apt-get: install buildah, debootstrap, runc by your system's means"):
        packages.install(packages.TO_BUILD)


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BoxError, match=f"late needs port {port} on 127.0.0.1: Address already in use"):
            processes.start("late", ["sleep", "600"], [("127.0.0.1", port)])
    assert not processes.is_running("late")


def test_a_program_that_ends_while_it_starts_shows_its_last_words() -> None:
    processes.start("broken", ["sh", "-c", "echo no such flag; exit 1"])
    with pytest.raises(BoxError, match=r"broken ended while it started. The end of .*broken.log:\n  no such flag"):
        processes.wait_for_process("broken", "it is ready", lambda: False, 30)


def test_waiting_has_an_end() -> None:
    with pytest.raises(BoxError, match=r"the moon is green: not so after 0 seconds\. It is grey"):
        commands.wait_for("the moon is green", lambda: False, 0, lambda: "It is grey")


def test_a_running_program_is_not_started_twice(sleeper: None) -> None:
    before = processes._running_pid("sleeper")
    processes.start("sleeper", ["sleep", "600"])
    assert processes._running_pid("sleeper") == before


def test_a_stopped_program_is_gone_even_if_it_does_not_want_to() -> None:
    processes.start("stubborn", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"])
    commands.wait_for("it is deaf", lambda: "deaf" in processes.log_end("stubborn"), 30)
    pid = processes._running_pid("stubborn")
    processes.stop("stubborn", seconds=0)
    assert pid is not None
    assert processes._start_time(pid) is None


def test_a_process_that_got_the_id_of_an_ended_one_is_left_alone(sleeper: None) -> None:
    mine = processes._running_pid("sleeper")
    processes._pid_file("stranger").write_text(f'{{"pid": {mine}, "started": 1}}')
    assert not processes.is_running("stranger")
    processes.stop("stranger")
    assert processes.is_running("sleeper")


@needs_root
def test_a_network_that_overlaps_is_named(tmp_path: Path) -> None:
    said = in_a_network_of_its_own(
        tmp_path, "ip link add vpn type bridge; ip link set vpn up; ip address add 10.96.7.1/24 dev vpn"
    )
    assert "the cluster needs the addresses 10.96.0.0/16, but `ip route` has 10.96.7.0/24 on vpn" in said


@needs_root
def test_another_kubernetes_is_left_alone(tmp_path: Path) -> None:
    said = in_a_network_of_its_own(tmp_path, "iptables -N KUBE-SERVICES")
    assert "this machine has a Kubernetes of its own" in said


@needs_root
def test_rules_of_others_stay(tmp_path: Path) -> None:
    """`down` takes back its own rules and kube-proxy's, those that lead to its chains included."""
    others = "iptables -N OTHERS; iptables -A FORWARD -s 10.1.0.0/16 -j OTHERS"
    proxys = "iptables -N KUBE-SERVICES; iptables -A KUBE-SERVICES -j RETURN; iptables -A FORWARD -j KUBE-SERVICES"
    said = in_a_network_of_its_own(tmp_path, others, after=f"{proxys}; {CALL.format('down')}; iptables-save")
    assert "-A FORWARD -s 10.1.0.0/16 -j OTHERS" in said
    assert "KUBE-" not in said
    assert network._MARK not in said


def in_a_network_of_its_own(cache: Path, before: str, after: str = "true") -> str:
    """Run shell commands, the making of the cluster's network, and shell commands again; returns all that is said."""
    up = f"mkdir -p {cache}/tunesmith/cluster/state; {CALL.format('up')}"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", f"{before}; {up}; {after}"],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
