"""Runs programs, tells what is being done and since when, and waits for things to become true."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import BIN, KUBECONFIG

_began = time.monotonic()


def say(text: str) -> None:
    """Print one step with the seconds since the program's start."""
    print(f"[{time.monotonic() - _began:6.1f} s] {text}", flush=True)


def run(command: Sequence[str | Path], stdin: str | None = None, folder: Path | None = None, **environment: str) -> str:
    """Return what the program prints; raises BoxError with its last words where it fails or is not there."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, input=stdin, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise BoxError(f"the program {words[0]} is not on this machine") from error
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise BoxError(f"`{' '.join(words[:12])}` ended with {done.returncode}:\n{said}")
    return done.stdout


def succeeds(command: Sequence[str | Path]) -> bool:
    """Whether the program ends with 0; it says nothing."""
    words = [str(word) for word in command]
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def kubectl(*words: str | Path, stdin: str | None = None) -> str:
    """Return what kubectl prints, as the cluster's administrator; raises BoxError where it fails."""
    return run([BIN / "kubectl", f"--kubeconfig={KUBECONFIG}", *words], stdin=stdin)


def kubectl_succeeds(*words: str) -> bool:
    """Whether kubectl ends with 0."""
    return succeeds([BIN / "kubectl", f"--kubeconfig={KUBECONFIG}", *words])


def wait_for(what: str, is_true: Callable[[], bool], seconds: float, why_not: Callable[[], str] = str) -> None:
    """Ask `is_true` four times a second; raises BoxError with what `why_not` returns when the seconds are over."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise BoxError(f"{what}: not so after {seconds:.0f} seconds. {why_not()}".rstrip())
        time.sleep(0.25)
    say(what)
