"""How long one answer of a model takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CALLS = 50
WARM_UP = 5


@dataclass(frozen=True)
class Latency:
    """Wall-clock milliseconds of one call: the median, and what nine calls in ten stay below."""

    median_ms: float
    p90_ms: float


def measure(call: Callable[[], object]) -> Latency:
    """Time `call`, which answers one example from arrays in memory; the first calls only warm up."""
    for _ in range(WARM_UP):
        call()
    durations = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        durations.append(1000 * (time.perf_counter() - start))
    median, p90 = np.quantile(durations, [0.5, 0.9])
    return Latency(round(float(median), 4), round(float(p90), 4))
