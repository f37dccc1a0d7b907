"""How much CPU a proposal takes after many trials of ten mixed parameters, each measurement in a process of its own."""

import math
import multiprocessing
import statistics
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import psutil

from quality.problem import FlatSpace, Knob
from quality.searchers import Searcher, make
from tunesmith.spaces._distributions import Choice, Int, LogUniform, Uniform
from tunesmith.spaces._space import Candidate

KNOBS = (
    *(Knob(f"rate{i}", LogUniform(1e-5, 1.0)) for i in range(3)),
    *(Knob(f"share{i}", Uniform(0.0, 1.0)) for i in range(3)),
    *(Knob(f"units{i}", Int(1, 512)) for i in range(2)),
    *(Knob(f"kind{i}", Choice(("a", "b", "c"))) for i in range(2)),
)
CYCLES = 8  # SMAC fits its model anew only at every eighth
FEW = 20
PAUSE = 0.2  # seconds between two looks at the clock


@dataclass(frozen=True)
class Speed:
    """CPU seconds a proposal, the mean of several in a row, infinite where none came within the limit."""

    searcher: str
    past: int
    batch: int
    seconds: float


def measure(searchers: Sequence[str], past: Sequence[int], batches: Sequence[int], limit: float) -> Iterator[Speed]:
    """Yield one measurement each; `limit`: seconds of CPU for an answer. More trials are not tried after a lost one."""
    for searcher in searchers:
        for batch in batches:
            seconds = 0.0
            for count in sorted(past):
                seconds = _in_process(searcher, count, batch, limit) if math.isfinite(seconds) else math.inf
                yield Speed(searcher, count, batch, seconds)


def _in_process(searcher: str, past: int, batch: int, limit: float) -> float:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_cycles, args=(searcher, past, batch, there), daemon=True)
    process.start()
    there.close()
    seconds: list[float] = []
    try:
        # The first message says that the past has been taken in.
        while len(seconds) <= CYCLES and sum(seconds) * batch < limit:
            seconds.append(_wait(here, psutil.Process(process.pid), limit))
    except (EOFError, TimeoutError, psutil.NoSuchProcess):
        pass
    finally:
        process.kill()
        process.join()
    return statistics.mean(seconds[1:]) if len(seconds) > 1 else math.inf


def _wait(here: Connection, process: psutil.Process, limit: float) -> float:
    """Return the next message; raises TimeoutError after so many seconds of the process' CPU, however busy the machine is."""
    began = _cpu(process)
    while not here.poll(PAUSE):
        if _cpu(process) - began > limit:
            raise TimeoutError
    return here.recv()


def _cpu(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return spent.user + spent.system


def _cycles(searcher: str, past: int, batch: int, results: Connection) -> None:
    """Ask and tell; telling counts, since that is where some peers fit their model."""
    warnings.simplefilter("ignore")
    # What is loaded with the first proposal is not counted.
    _after(FEW, searcher, batch).ask(batch)
    asked = _after(past, searcher, batch)
    results.send(0.0)
    for _ in range(CYCLES):
        started = time.process_time()
        candidates = asked.ask(batch)
        asked.tell([(candidate, _loss(candidate)) for candidate in candidates])
        results.send((time.process_time() - started) / batch)


def _after(past: int, searcher: str, batch: int) -> Searcher:
    """Return the searcher as it is after so many random trials."""
    made = make(searcher, KNOBS, 0, past + CYCLES * batch, batch)
    space, rng = FlatSpace(KNOBS), np.random.default_rng(past)
    history = [space.sample(rng) for _ in range(past)]
    made.load([(candidate, _loss(candidate)) for candidate in history])
    return made


def _loss(candidate: Candidate) -> float:
    places = [knob.distribution.cdf([candidate[knob.name]])[0] for knob in KNOBS]
    return float(sum((place - 0.3) ** 2 for place in places))
