"""A cell: one searcher on one problem with one seed; and the pool of processes that works cells off."""

import math
import multiprocessing
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quality.problem import Problem, TrialFailed
from quality.problems import find
from quality.searchers import OURS, make
from tunesmith.spaces._space import Candidate

Key = tuple[str, str, int, int]


@dataclass(frozen=True)
class Task:
    """What is to be run."""

    problem: str
    searcher: str
    seed: int
    trials: int
    batch: int
    data: Path | None
    shift: int


@dataclass(frozen=True)
class Cell:
    """What came of a task.

    `curve`: after each trial the true loss of the best observed one so far, infinite before the first that did not fail.
    `cpu`: seconds of CPU that the searcher took for all of them. `trouble`: why it gave up before the end (the curve then
    stays where it was).
    """

    problem: str
    searcher: str
    seed: int
    batch: int
    curve: tuple[float, ...]
    cpu: float
    trouble: str = ""

    @property
    def key(self) -> Key:
        """What tells cells apart: problem, searcher, seed, batch."""
        return self.problem, self.searcher, self.seed, self.batch

    def at(self, trials: int) -> float:
        """Return the true loss found by so many trials."""
        return self.curve[trials - 1]

    def to_json(self) -> dict[str, Any]:
        """Return the cell as plain data; what is infinite as null."""
        return asdict(self) | {"curve": [value if math.isfinite(value) else None for value in self.curve]}


def from_json(form: dict[str, Any]) -> Cell:
    """Return the cell that `to_json` wrote."""
    curve = tuple(math.inf if value is None else float(value) for value in form["curve"])
    return Cell(**{**form, "curve": curve})  # pyright: ignore[reportArgumentType]  # the keys are those that to_json wrote


def run(task: Task) -> Cell:
    """Search; what a searcher raises ends its search, and not the benchmark."""
    problem = find(task.data, task.shift)[task.problem]
    board = _Board(problem, task.seed)
    started = time.process_time()
    trouble = ""
    if not task.searcher.startswith(OURS):
        warnings.simplefilter("ignore")
    try:
        searcher = make(task.searcher, problem.knobs, task.seed, task.trials, task.batch)
        while len(board.curve) < task.trials:
            asked = searcher.ask(min(task.batch, task.trials - len(board.curve)))
            paused = time.process_time()
            results = [(candidate, board.evaluate(candidate)) for candidate in asked]
            started += time.process_time() - paused
            searcher.tell(results)
    # Whatever a peer may raise.
    except Exception as error:
        trouble = f"{type(error).__name__}: {error}"[:300]
    cpu = time.process_time() - started
    curve = board.curve + [board.incumbent] * (task.trials - len(board.curve))
    return Cell(task.problem, task.searcher, task.seed, task.batch, tuple(curve), cpu, trouble)


class _Board:
    """Keeps the true loss of the incumbent, which is chosen by what was observed."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.seed = problem, seed
        self.seen = self.incumbent = math.inf
        self.curve: list[float] = []

    def evaluate(self, candidate: Candidate) -> float | None:
        """Return the observed loss, None for a failure."""
        try:
            observed, true = self.problem.evaluate(candidate, self.seed, len(self.curve))
        except TrialFailed:
            observed = true = math.nan
        if observed < self.seen:
            self.seen, self.incumbent = observed, true
        self.curve.append(self.incumbent)
        return observed if math.isfinite(observed) else None


def run_all(tasks: Sequence[Task], processes: int) -> Iterator[Cell]:
    """Yield cells as they are done, each process on one core.

    Fresh processes, so that the limit on threads that the environment holds reaches NumPy's libraries before they load.
    """
    if processes == 1:
        yield from map(run, tasks)
        return
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        waiting: list[Future[Cell]] = [pool.submit(run, task) for task in tasks]
        for done in as_completed(waiting):
            yield done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
