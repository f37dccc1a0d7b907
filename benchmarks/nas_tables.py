"""Architecture search on tables of trained cells: the strategies beside peers, data sets × searchers × seeds.

A query is a cell's validation accuracy (of `X-noisy`, that of one run); what is shown is the test accuracy of the cell that is
the best by validation so far. The tables are recognised in the folder that --data names by their columns. With --speed: what a
proposal costs.
"""

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table as Grid
from scipy.stats import wilcoxon

import quality.one_core  # noqa: F401  # before anything that starts processes
from folder import folder
from measure import machine, parser
from nas.searchers import OURS, PEERS, search
from nas.speed import measure
from nas.tables import find

STRATEGIES = ("random", "evolution", "reinforce", "pnas", "morphism", "tpe", "gp")
BUDGETS = (25, 50, 100, 150, 400)
PAST = (100, 1000)
WIDTH = 150
Cell = tuple[str, str, int]
# One query: the accuracy that the search saw, and the cell's test accuracy.
Query = tuple[float, float]


def main() -> None:
    """Run what the file of results lacks, and print."""
    options = _options()
    given = options.parse_args()
    if given.speed:
        return _show_speed(given)
    if given.data is None:
        options.error("--data is needed")
    tables = find(given.data)
    wanted = given.sets or list(tables)
    searchers = [*(f"{OURS} {name}" for name in given.strategies), *given.peers]
    results = _read(given.json)
    cells = [(name, who, seed) for seed in range(given.seeds) for name in wanted for who in searchers]
    for cell, queries in _run([cell for cell in cells if len(results.get(cell, ())) < given.queries], given):
        results[cell] = queries
        _write(given.json, results, {})
    budgets = [budget for budget in BUDGETS if budget <= given.queries] or [given.queries]
    reached = {cell: [reported(results[cell][:budget]) for budget in budgets] for cell in cells}
    for name in wanted:
        _show(name, {cell: values for cell, values in reached.items() if cell[0] == name}, searchers, budgets, given)
    _write(given.json, results, {"machine": machine(), "budgets": budgets, "test": _medians(reached)})
    return None


def reported(queries: list[Query]) -> float:
    """Return the test accuracy of the best query by the accuracy that was seen."""
    return max(queries, key=lambda query: query[0])[1]


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("--data", type=folder, metavar="DIR", help="folder with tables")
    options.add_argument("--speed", action="store_true", help="measure the CPU of proposals after 100 and 1,000 trials instead")
    options.add_argument("--sets", nargs="+", help="data sets by name; all where not given")
    options.add_argument(
        "--strategies", nargs="*", default=list(STRATEGIES), help="ours, settings after a space: 'gp startup=6'"
    )
    options.add_argument("--peers", nargs="*", default=list(PEERS), help="other libraries' searchers")
    options.add_argument("--seeds", type=int, default=20, help="repetitions")
    options.add_argument("--queries", type=int, default=150, help="queries each")
    options.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="searches at a time")
    return options


def _search(cell: Cell, data: Path, queries: int) -> list[Query]:
    name, searcher, seed = cell
    return search(find(data)[name], searcher, seed, queries)


def _run(cells: list[Cell], given: argparse.Namespace) -> Iterator[tuple[Cell, list[Query]]]:
    """Yield searches with what they saw, each run in one of several fresh processes."""
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_search, cell, given.data, given.queries) for cell in cells]
        for cell, future in zip(cells, track(waiting, "searches", console=Console(stderr=True)), strict=True):
            yield cell, future.result()


def _medians(reached: dict[Cell, list[float]]) -> dict[str, dict[str, list[float]]]:
    table: dict[str, dict[str, list[float]]] = {}
    for name, who, _ in reached:
        own = [values for (n, w, _), values in reached.items() if (n, w) == (name, who)]
        table.setdefault(name, {})[who] = np.median(own, axis=0).tolist()
    return table


def _show(
    name: str, reached: dict[Cell, list[float]], searchers: list[str], budgets: list[int], given: argparse.Namespace
) -> None:
    table, console = find(given.data)[name], Console(width=WIDTH)
    grid = Grid(title=f"{name}: test accuracy in % after so many queries: median (quartiles) of {given.seeds} seeds")
    for heading in ("", *map(str, budgets), "p"):
        grid.add_column(heading, justify="left" if not heading else "right")
    base = _at_the_end(reached, f"{OURS} random")
    for who in searchers:
        values = np.array([each for (_, w, _), each in reached.items() if w == who])
        low, middle, high = np.percentile(values, (25, 50, 75), axis=0)
        shown = [f"{m:.2f}\n{a:.2f}-{b:.2f}" for a, m, b in zip(low, middle, high, strict=True)]
        grid.add_row(who, *shown, _test(_at_the_end(reached, who), base))
    console.print(grid)
    console.print(f"p: Wilcoxon's test against random search after {budgets[-1]} queries")
    console.print(f"optimum {table.optimum:.2f}; the best of all cells by validation {table.chosen:.2f}; {machine()}")


def _show_speed(given: argparse.Namespace) -> None:
    grid = Grid(title="CPU seconds of a proposal: by a process that knows nothing yet, and of those that follow")
    for heading in ("space", "strategy", *(f"after {count} trials" for count in PAST)):
        grid.add_column(heading, justify="left" if heading in ("space", "strategy") else "right")
    costs = list(track(measure(given.strategies, PAST), "measuring", console=Console(stderr=True)))
    for start in range(0, len(costs), len(PAST)):
        row = costs[start : start + len(PAST)]
        grid.add_row(row[0].space, row[0].strategy, *(f"{cost.cold:.2f}  {cost.warm:.2f}" for cost in row))
    Console(width=WIDTH).print(grid)
    if given.json is not None:
        given.json.write_text(json.dumps({"machine": machine(), "seconds": [asdict(cost) for cost in costs]}) + "\n")


def _at_the_end(reached: dict[Cell, list[float]], who: str) -> np.ndarray:
    return np.array([values[-1] for (_, w, _), values in sorted(reached.items()) if w == who])


def _test(own: np.ndarray, base: np.ndarray) -> str:
    """Return Wilcoxon's p of pairs of one seed; nothing where there is no other, or no difference."""
    if len(own) != len(base) or (own == base).all():
        return ""
    result: tuple[float, float] = wilcoxon(own, base, zero_method="zsplit")
    return f"{result[1]:.1g}"


def _read(file: Path | None) -> dict[Cell, list[Query]]:
    if file is None or not file.exists():
        return {}
    return {
        (name, who, seed): [tuple(query) for query in queries]
        for name, who, seed, queries in json.loads(file.read_text())["searches"]
    }


def _write(file: Path | None, results: dict[Cell, list[Query]], summary: dict[str, object]) -> None:
    if file is not None:
        rows = [[*cell, queries] for cell, queries in results.items()]
        file.write_text(json.dumps(summary | {"searches": rows}) + "\n")


if __name__ == "__main__":
    main()
