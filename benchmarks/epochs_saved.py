"""What stopping trials saves of a search of so many trials, and what it costs: strategies × schedulers on learning curves.

A search with a scheduler is held against the one without, of the same strategy, seed and number of trials: the share of its
epochs that is saved, and how much worse is what it found. That is in points of the metric, and in per cent of the range from
the best setting of the table to its median one (the worst diverged, so that a range to them would forgive everything).
"""

import argparse
import json
import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from curves.clock import search_trials
from curves.searchers import make
from curves.tables import Problem, find
from folder import folder
from measure import machine, parser

STRATEGIES = ("random", "tpe")
SCHEDULERS = ("curve", "median", "halving", "hyperband")
WIDTH = 128


@dataclass(frozen=True)
class Task:
    """A search that is to be run; `searcher`: a strategy, or one with a scheduler, as in `tpe+curve`."""

    problem: str
    searcher: str
    seed: int
    trials: int
    data: Path


@dataclass(frozen=True)
class Outcome:
    """The best loss that a trial of a search ended with, and the steps of all its trials."""

    loss: float
    steps: int


def main() -> None:
    """Run all searches, and print."""
    given = _options().parse_args()
    problems = {name: one for name, one in find(given.data).items() if any(fnmatchcase(name, p) for p in given.problems)}
    if not problems:
        raise SystemExit(f"{given.data}: no table of learning curves, or none named so")
    stopped = [f"{strategy}+{scheduler}" for strategy in given.strategies for scheduler in given.schedulers]
    tasks = [
        Task(problem, searcher, seed, given.trials, given.data)
        for seed in range(given.seeds)
        for problem in problems
        for searcher in (*given.strategies, *stopped)
    ]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        done = track(pool.map(run, tasks), "searches", total=len(tasks), console=Console(stderr=True))
        outcomes = {(task.problem, task.searcher, task.seed): outcome for task, outcome in zip(tasks, done, strict=True)}
    costs = {
        searcher: [_costs(problem, searcher, outcomes, given.seeds) for problem in problems.values()] for searcher in stopped
    }
    _show(costs, list(problems), given)
    if given.json:
        content = {
            "machine": machine(),
            "problems": list(problems),
            "costs": {k: np.array(v).tolist() for k, v in costs.items()},
        }
        given.json.write_text(json.dumps(content) + "\n")


def run(task: Task) -> Outcome:
    """Run one search."""
    problem = find(task.data)[task.problem]
    searcher = make(f"tunesmith {task.searcher}", problem.columns.knobs, task.seed, 1, problem.steps, task.trials)
    course, steps = search_trials(problem, searcher, task.trials)
    return Outcome(course.best(steps), steps)


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("--data", type=folder, required=True, metavar="DIR", help="folder with tables of learning curves")
    options.add_argument("--problems", nargs="+", default=["*"], metavar="PATTERN", help="problems by name, * for anything")
    options.add_argument("--strategies", nargs="+", default=list(STRATEGIES), help="ours")
    options.add_argument("--schedulers", nargs="+", default=list(SCHEDULERS), help="ours, with settings: 'curve:chance=0.1'")
    options.add_argument("--seeds", type=int, default=20, help="repetitions")
    options.add_argument("--trials", type=int, default=50, help="trials of a search")
    options.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="searches at a time")
    return options


def _costs(
    problem: Problem, searcher: str, outcomes: dict[tuple[str, str, int], Outcome], seeds: int
) -> list[tuple[float, float, float]]:
    """Return of each seed the share of epochs saved, and the regret added: in points, and in per cent of the range."""
    worth = problem.worth[np.isfinite(problem.worth)]
    spread = float(np.median(worth) - worth.min())
    found = []
    for seed in range(seeds):
        own, full = outcomes[problem.name, searcher, seed], outcomes[problem.name, searcher.partition("+")[0], seed]
        added = own.loss - full.loss
        found.append((1 - own.steps / full.steps, added, 100 * added / spread if math.isfinite(added) else math.inf))
    return found


def _show(costs: dict[str, list[list[tuple[float, float, float]]]], problems: list[str], given: argparse.Namespace) -> None:
    """Print by scheduler and kind of table: medians over seeds, then the mean and the worst over problems."""
    table = Table(
        title=f"{given.trials} trials with and without stopping: medians of {given.seeds} seeds, mean (worst) of problems",
        title_justify="left",
        caption=machine(),
        caption_justify="left",
    )
    for heading in ("", "tables", "epochs saved", "regret added, points", "of the range", "at most 2 %"):
        table.add_column(heading, justify="left" if heading in ("", "tables") else "right")
    kinds = sorted({name.partition("-")[0] for name in problems})
    for searcher, values in costs.items():
        for kind in kinds:
            own = np.array([value for name, value in zip(problems, values, strict=True) if name.startswith(kind)])
            saved, points, share = np.median(own, axis=1).T
            table.add_row(
                *(searcher, f"{len(own)} of {kind}", f"{saved.mean():.0%} ({saved.min():.0%})"),
                *(f"{points.mean():.3f} ({points.max():.3f})", f"{share.mean():.2f} % ({share.max():.2f} %)"),
                f"{(own[..., 2] <= 2).mean():.0%} of searches",
            )
    Console(width=WIDTH).print(table)


if __name__ == "__main__":
    main()
