"""Starts the cluster's programs in the background and stops exactly those, by process id and start time."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster.box.commands import wait_for
from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import LOGS, PIDS

Address = tuple[str, int]


def start(name: str, command: Sequence[str | Path], ports: Sequence[Address] = ()) -> None:
    """Start the program unless it runs already; raises BoxError where one of its TCP ports is taken."""
    if is_running(name):
        return
    for address in ports:
        _refuse_taken(name, address)
    LOGS.mkdir(parents=True, exist_ok=True)
    PIDS.mkdir(parents=True, exist_ok=True)
    with (LOGS / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    _pid_file(name).write_text(json.dumps({"pid": process.pid, "started": _start_time(process.pid)}))


def wait_for_process(name: str, what: str, is_true: Callable[[], bool], seconds: float) -> None:
    """Wait until `is_true`; raises BoxError with the end of the log where the program ends before or the time is over."""

    def is_true_or_ended() -> bool:
        if not is_running(name):
            raise BoxError(f"{name} ended while it started. {log_end(name)}")
        return is_true()

    wait_for(what, is_true_or_ended, seconds, lambda: log_end(name))


def is_running(name: str) -> bool:
    """Whether the program that was started under this name still runs."""
    return _running_pid(name) is not None


def stop(name: str, seconds: float = 10) -> None:
    """End the program, by force where it has not ended after these seconds."""
    pid = _running_pid(name)
    if pid is not None:
        _end(pid, seconds)
    _pid_file(name).unlink(missing_ok=True)


def log_end(name: str) -> str:
    """Return where the program's log lies and its last lines."""
    log = LOGS / f"{name}.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([f"The end of {log}:", *(f"  {line[:300]}" for line in lines[-12:])])


def kill_all(pids: Sequence[int]) -> None:
    """Kill these processes; those that have ended already are passed over."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def pids_with(text: str) -> list[int]:
    """Return the processes that have `text` in their command line, this one left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def _end(pid: int, seconds: float) -> None:
    started = _start_time(pid)
    deadline = time.monotonic() + seconds
    os.kill(pid, signal.SIGTERM)
    while _start_time(pid) == started is not None:
        if time.monotonic() > deadline:
            kill_all([pid])
            deadline += seconds
        time.sleep(0.05)


def _running_pid(name: str) -> int | None:
    """The process id, unless another process has that id by now."""
    try:
        noted = json.loads(_pid_file(name).read_text())
    except FileNotFoundError:
        return None
    return noted["pid"] if noted["started"] is not None and _start_time(noted["pid"]) == noted["started"] else None


def _start_time(pid: int) -> int | None:
    """Ticks from the machine's start to the process'; None where it has ended, or is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _pid_file(name: str) -> Path:
    return PIDS / f"{name}.json"


def _refuse_taken(name: str, address: Address) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            host, port = address
            raise BoxError(
                f"{name} needs port {port} on {host}: {error.strerror}. "
                f"See who has it with `ss -ltnp sport = :{port}` and stop it."
            ) from error
