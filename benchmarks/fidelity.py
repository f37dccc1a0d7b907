"""What stopping trials early gains: strategies × schedulers on tables of learning curves, beside Optuna's pruners.

All spend the same number of steps (epochs) in total. Trials run on simulated workers that do a step each at every tick; a
candidate's curve is that of the table's nearest setting in the unit cube. A search has found the best loss of the trials that
ran to their end. Regret is normalised: 0 is the best of the table, 1 what random search without stopping has in the median.
"""

import argparse
import json
import os
from fnmatch import fnmatchcase
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.progress import track
from rich.table import Table

from curves.cells import Cell, Task, from_json, run_all
from curves.scores import Key, Scores, score
from curves.tables import Problem, find
from folder import folder
from measure import machine, parser

STRATEGIES = ("random", "tpe", "gp")
SCHEDULERS = ("median", "halving", "hyperband", "curve")
PEERS = tuple(f"optuna tpe{pruner}" for pruner in ("", "+median", "+hyperband", "+halving"))
RIVALS = ("optuna tpe+median", "optuna tpe+hyperband")
BUDGETS = (10, 25, 50, 100)
WIDTH = 148


def main() -> None:
    """Run what the file of results lacks, and print."""
    given = _options().parse_args()
    problems = {name: one for name, one in find(given.data).items() if any(fnmatchcase(name, p) for p in given.problems)}
    if not problems:
        raise SystemExit(f"{given.data}: no table of learning curves, or none named so")
    searchers = given.searchers or [*_ours(), *PEERS]
    cells = _run(given, problems, searchers)
    budgets = [budget for budget in BUDGETS if budget <= given.trials] or [given.trials]
    console, summary = Console(width=WIDTH), {}
    for workers in given.workers:
        scores = {budget: score(cells, problems, searchers, given.seeds, (budget, workers)) for budget in budgets}
        console.print(_table(scores, [cell for cell in cells.values() if cell.workers == workers], workers))
        console.print(_by_problem(scores[max(scores)]))
        summary[workers] = {who: {budget: item.mean(who) for budget, item in scores.items()} for who in searchers}
    if given.json:
        _write(given.json, cells, {"machine": machine(), "seeds": given.seeds, "regret by workers": summary})


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("--data", type=folder, required=True, metavar="DIR", help="folder with tables of learning curves")
    options.add_argument("--problems", nargs="+", default=["*"], metavar="PATTERN", help="problems by name, * for anything")
    options.add_argument(
        "--searchers", nargs="+", metavar="NAME", help="as in 'tunesmith tpe+halving:steps=2,factor=4' or 'optuna tpe+median'"
    )
    options.add_argument("--seeds", type=int, default=20, help="repetitions")
    options.add_argument("--trials", type=int, default=50, help="budget, as trials that run to their end")
    options.add_argument("--workers", type=int, nargs="+", default=[1, 4], help="trials at a time")
    options.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="cells at a time")
    return options


def _ours() -> list[str]:
    return [f"tunesmith {strategy}{stop}" for strategy in STRATEGIES for stop in ("", *(f"+{name}" for name in SCHEDULERS))]


def _run(given: argparse.Namespace, problems: dict[str, Problem], searchers: list[str]) -> dict[Key, Cell]:
    """Return all cells; those in the file of results are not run again."""
    cells = _read(given.json)
    # Seed by seed, so that what a run that was cut short has done is balanced.
    order = [(name, who, seed, workers) for seed in range(given.seeds) for workers in given.workers for name in problems
             for who in searchers]  # fmt: skip
    tasks = [Task(*key, given.trials, given.data) for key in order if key not in cells or given.trials not in cells[key].best]
    try:
        for cell in track(run_all(tasks, given.processes), "cells", total=len(tasks), console=Console(stderr=True)):
            cells[cell.key] = cell
    finally:
        if given.json:
            _write(given.json, cells, {})
    return cells


def _read(file: Path | None) -> dict[Key, Cell]:
    content = json.loads(file.read_text()) if file and file.exists() else {}
    return {cell.key: cell for cell in map(from_json, content.get("cells", []))}


def _write(file: Path, cells: dict[Key, Cell], summary: dict[str, object]) -> None:
    content = {"title": "Fidelity", "summary": summary, "cells": [cell.to_json() for cell in cells.values()]}
    file.write_text(json.dumps(content) + "\n")


def _table(scores: dict[int, Scores], cells: list[Cell], workers: int) -> Table:
    """Regrets by budget; beside the same strategy without stopping and beside the rivals at every budget."""
    last = scores[max(scores)]
    table = Table(
        title=f"Regret by steps spent, {workers} at a time: geometric mean over {len(last.problems)} problems of the median of "
        f"{last.regrets.shape[2]} seeds, at least 0.01",
        caption="Budgets are in trials that run to their end. Beside another: ratio of the regrets by budget; p of Wilcoxon's "
        "signed-rank test over problems and seeds at the last.",
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("", *map(str, scores), "trials", "CPU ms/trial", "beside no stopping", *RIVALS):
        table.add_column(heading, justify="left" if not heading else "right")
    for who in sorted(last.searchers, key=last.mean):
        own = [cell for cell in cells if cell.searcher == who]
        started, cpu = sum(cell.started for cell in own), sum(cell.cpu for cell in own)
        others = [who.partition("+")[0], *RIVALS]
        table.add_row(
            *(who, *(f"{item.mean(who):.3f}" for item in scores.values()), f"{started / len(own):.0f}"),
            *(f"{1000 * cpu / started:.1f}", *(_beside(scores, who, other) for other in others)),
        )
    return table


def _beside(scores: dict[int, Scores], who: str, other: str) -> str:
    last = scores[max(scores)]
    if other == who or other not in last.searchers:
        return ""
    ratios = "/".join(f"{item.beside(who, other)[0]:.2f}" for item in scores.values())
    return f"{ratios}, p={last.beside(who, other)[1]:.1g}"


def _by_problem(scores: Scores) -> Table:
    table = Table(title="Problems one by one, at the last budget", title_justify="left")
    order = sorted(scores.searchers, key=scores.mean)[:10]
    for heading in ("", *(who.replace(" ", "\n", 1) for who in order)):
        table.add_column(heading, justify="left" if not heading else "right")
    for row, problem in zip(scores.by_problem().T, scores.problems, strict=True):
        table.add_row(problem, *(f"{row[scores.searchers.index(who)]:.2f}" for who in order))
    return table


if __name__ == "__main__":
    main()
