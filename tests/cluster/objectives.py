"""What the trials of the cluster tests do: this file travels to the pods."""

import os
import signal
import time
from typing import Any


def quick(candidate: dict[str, Any]) -> float:
    """Answer at once."""
    return (candidate["x"] - 0.3) ** 2


def working(candidate: dict[str, Any]) -> float:
    """Work for five seconds."""
    time.sleep(5)
    return (candidate["x"] - 0.3) ** 2


def troubled(candidate: dict[str, Any]) -> float:
    """Do what candidates do that should not have been proposed."""
    trouble = candidate["trouble"]
    if trouble == "hang":
        time.sleep(3600)
    if trouble == "nan":
        return float("nan")
    if trouble == "memory":
        held = bytearray(600 * 2**20)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(20)
    if trouble == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return candidate["x"]


def figures(candidate: dict[str, Any]) -> dict[str, float]:
    """Answer a loss that is least at 0.3, and a speed and a size that grow with x."""
    x = candidate["x"]
    return {"loss": (x - 0.3) ** 2, "speed": 10 * x, "size": x}
