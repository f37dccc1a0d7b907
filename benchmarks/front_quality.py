"""How much of a Pareto front the strategies find beside Optuna's: problems × searchers × seeds.

The figure is the hypervolume that is missing: 0 where all of the front is found, 1 where nothing is. Objectives are scaled to
the range of the front, the reference point lies a tenth of it beyond the front's worst values. Tables of cells (a CSV with
`code` and accuracies, an NPZ with `code` and latencies) are recognised in the folder that --data names by what they hold.
"""

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import wilcoxon

import quality.one_core  # noqa: F401  # before anything that starts processes
from folder import folder
from measure import machine, parser
from trade_offs.problems import TradeOff, find
from trade_offs.searchers import OURS, PEERS, search

STRATEGIES = ("random", "tpe", "nsga2", "gp")
USUAL = ("two-bowls", "zdt1", "zdt2", "nb201-c10-*")
BUDGETS = (25, 50, 100)
WIDTH = 148
Cell = tuple[str, str, int]


def main() -> None:
    """Run what the file of results lacks, and print."""
    given = _options().parse_args()
    problems = {name: one for name, one in find(given.data).items() if any(fnmatchcase(name, p) for p in given.problems)}
    searchers = [*(f"{OURS} {name}" for name in given.strategies), *given.peers]
    results = _read(given.json)
    cells = [(problem, who, seed) for seed in range(given.seeds) for problem in problems for who in searchers]
    for cell, losses in _run([cell for cell in cells if len(results.get(cell, ())) < given.trials], given):
        results[cell] = losses
        _write(given.json, results, {})
    budgets = [budget for budget in BUDGETS if budget <= given.trials] or [given.trials]
    missing = {cell: [1 - problems[cell[0]].covered(results[cell][:budget]) for budget in budgets] for cell in cells}
    _show(missing, problems, searchers, budgets, given.seeds)
    _write(given.json, results, {"machine": machine(), "budgets": budgets, "missing": _medians(missing)})


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("--data", type=folder, metavar="DIR", help="folder with tables")
    options.add_argument("--problems", nargs="+", default=list(USUAL), metavar="PATTERN", help="problems by name")
    options.add_argument("--strategies", nargs="*", default=list(STRATEGIES), help="ours")
    options.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS, help="Optuna's")
    options.add_argument("--seeds", type=int, default=20, help="repetitions")
    options.add_argument("--trials", type=int, default=100, help="trials each")
    options.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="searches at a time")
    return options


@lru_cache(maxsize=1)
def _problems(data: Path | None) -> dict[str, TradeOff]:
    return find(data)


def _search(cell: Cell, data: Path | None, trials: int) -> np.ndarray:
    problem, searcher, seed = cell
    return search(_problems(data)[problem], searcher, seed, trials)


def _run(cells: list[Cell], given: argparse.Namespace) -> Iterator[tuple[Cell, np.ndarray]]:
    """Yield searches with the losses they found, each run in one of several fresh processes."""
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_search, cell, given.data, given.trials) for cell in cells]
        for cell, future in zip(cells, track(waiting, "searches", console=Console(stderr=True)), strict=True):
            yield cell, future.result()


def _medians(missing: dict[Cell, list[float]]) -> dict[str, dict[str, list[float]]]:
    """Return the medians over the seeds by problem and searcher, one per budget."""
    table: dict[str, dict[str, list[float]]] = {}
    for problem, who, _ in missing:
        own = [values for (p, w, _), values in missing.items() if (p, w) == (problem, who)]
        table.setdefault(problem, {})[who] = np.median(own, axis=0).tolist()
    return table


def _show(
    missing: dict[Cell, list[float]], problems: dict[str, TradeOff], searchers: list[str], budgets: list[int], seeds: int
) -> None:
    console, table = Console(width=WIDTH), Table()
    table.add_column("")
    for who in searchers:
        table.add_column(who.replace(" ", "\n", 1), justify="right")
    medians = _medians(missing)
    for problem in problems:
        table.add_row(problem, *("/".join(f"{value:.3f}" for value in medians[problem][who]) for who in searchers))
    means = {who: np.mean([medians[problem][who] for problem in problems], axis=0) for who in searchers}
    table.add_row("mean", *("/".join(f"{value:.3f}" for value in means[who]) for who in searchers), style="bold")
    table.add_row("p", *_tests(missing, means, searchers))
    console.print(f"Hypervolume missing after {'/'.join(map(str, budgets))} trials: medians of {seeds} seeds")
    console.print(table)
    console.print(f"{machine()}. p: Wilcoxon's test after {budgets[-1]} trials against the peer whose mean is least")


def _tests(missing: dict[Cell, list[float]], means: dict[str, np.ndarray], searchers: list[str]) -> list[str]:
    peers = [who for who in searchers if not who.startswith(OURS)]
    if not peers:
        return [""] * len(searchers)
    rival = min(peers, key=lambda who: means[who][-1])
    last = {who: np.array([values[-1] for (_, w, _), values in missing.items() if w == who]) for who in searchers}
    tests: dict[str, Any] = {who: wilcoxon(last[who], last[rival], zero_method="zsplit") for who in searchers if who != rival}
    return [f"{tests[who].pvalue:.1g}" if who in tests else "rival" for who in searchers]


def _read(file: Path | None) -> dict[Cell, np.ndarray]:
    if file is None or not file.exists():
        return {}
    rows = json.loads(file.read_text())["searches"]
    return {(problem, who, seed): np.array(losses) for problem, who, seed, losses in rows}


def _write(file: Path | None, results: dict[Cell, np.ndarray], summary: dict[str, object]) -> None:
    if file is None:
        return
    rows = [[*cell, np.round(losses, 6).tolist()] for cell, losses in results.items()]
    file.write_text(json.dumps(summary | {"searches": rows}) + "\n")


if __name__ == "__main__":
    main()
