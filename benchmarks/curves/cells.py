"""A cell: one searcher on one problem with one seed and so many workers; and the pool of processes that works cells off."""

import math
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curves.clock import search
from curves.searchers import make
from curves.tables import find


@dataclass(frozen=True)
class Task:
    """What is to be run; `trials`: the budget, as trials that run to their end."""

    problem: str
    searcher: str
    seed: int
    workers: int
    trials: int
    data: Path


@dataclass(frozen=True)
class Cell:
    """What came of a task: the best loss of finished trials by budget, infinite where none had finished.

    `started`: trials that were begun. `cpu`: seconds for proposals and verdicts.
    """

    problem: str
    searcher: str
    seed: int
    workers: int
    best: dict[int, float]
    started: int
    cpu: float

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What tells cells apart."""
        return self.problem, self.searcher, self.seed, self.workers

    def to_json(self) -> dict[str, Any]:
        """Return the cell as plain data; what is infinite as null."""
        return asdict(self) | {"best": {budget: loss if math.isfinite(loss) else None for budget, loss in self.best.items()}}


def from_json(form: dict[str, Any]) -> Cell:
    """Return the cell that `to_json` wrote."""
    form["best"] = {int(budget): math.inf if loss is None else loss for budget, loss in form["best"].items()}
    return Cell(**form)


def run(task: Task) -> Cell:
    """Search, and look at every budget that is a whole number of full trials."""
    problem = find(task.data)[task.problem]
    started = time.process_time()
    searcher = make(task.searcher, problem.columns.knobs, task.seed, task.workers, problem.steps, task.trials)
    course = search(problem, searcher, task.workers, task.trials * problem.steps)
    best = {trials: course.best(trials * problem.steps) for trials in range(1, task.trials + 1)}
    cpu = time.process_time() - started
    return Cell(task.problem, task.searcher, task.seed, task.workers, best, course.trials, cpu)


def run_all(tasks: Sequence[Task], processes: int) -> Iterator[Cell]:
    """Yield cells as they are done."""
    if processes == 1:
        yield from map(run, tasks)
        return
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        for done in as_completed([pool.submit(run, task) for task in tasks]):
            yield done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
