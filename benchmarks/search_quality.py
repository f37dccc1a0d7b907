"""How good the strategies are beside their peers: problems × strategies × seeds.

Regret is normalised: 0 is the best known loss of a problem, 1 what random search has in the median after as many trials.
Problems are made (functions with log, whole, categorical, conditional parameters, noise and failures; their optima off the
centre) and, with --data, taken from tables in that folder, which are recognised by what they hold. A table of random settings
answers a query with the setting that is nearest in the unit cube. Optuna, Hyperopt and SMAC are given conditional parameters
as such, other peers all parameters, of which the inactive ones are ignored; failures reach peers that know none as the worst
loss so far.
"""

import argparse
import os
from pathlib import Path

from rich.console import Console
from rich.progress import track

import quality.one_core  # noqa: F401  # before anything that loads NumPy
from folder import folder
from measure import machine, parser
from quality import plot, speed, tables
from quality.baseline import measure
from quality.cells import Task, run_all
from quality.problem import Problem
from quality.problems import find, select
from quality.results import Results
from quality.scores import Scores, score
from quality.searchers import OURS, available

BUDGETS = (25, 50, 100)
# `auto` picks `gp` on the usual problems, which would be run twice.
STRATEGIES = ("auto", "tpe", "random")
ERR = Console(stderr=True)


def main() -> None:
    """Run what is not there yet, and print."""
    given = _options().parse_args()
    problems = select(find(given.data, given.shift), given.problems)
    if given.list:
        _list(given)
        return
    if not problems:
        raise SystemExit(f"no problem is named {' or '.join(given.problems)}; --list lists them")
    searchers, results = _searchers(given), Results(given.json)
    if not given.speed:
        results.forget(_ours(given.again))
        for batch in dict.fromkeys(given.batch):
            _run(given, problems, searchers, results, batch)
            _show(given, problems, searchers, results, batch)
    if not given.no_speed:
        _speed(given, searchers, results)


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("--data", type=folder, metavar="DIR", help="folder with tables")
    options.add_argument("--problems", nargs="+", default=[], metavar="PATTERN", help="problems by name, * for anything")
    options.add_argument("--strategies", nargs="*", default=list(STRATEGIES), help="ours, as in 'tpe gamma=0.2,draws=16'")
    options.add_argument("--peers", nargs="*", default=["all"], help="peers by name; all or none")
    options.add_argument("--seeds", type=int, default=20, help="repetitions")
    options.add_argument("--trials", type=int, default=100, help="trials each")
    options.add_argument("--batch", type=_count, nargs="+", default=[1], help="trials at a time, told together")
    options.add_argument("--shift", type=int, default=0, help="moves the made problems' optima elsewhere")
    options.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="cells at a time")
    options.add_argument("--again", nargs="*", default=[], metavar="STRATEGY", help="ours to be run anew")
    options.add_argument("--save-plot", type=Path, metavar="FILE", help="draw regret against trials into an SVG or PNG")
    speeds = options.add_mutually_exclusive_group()
    speeds.add_argument("--speed", action="store_true", help="measure the CPU time of proposals alone")
    speeds.add_argument("--no-speed", action="store_true", help="do not measure it")
    options.add_argument("--past", type=int, nargs="+", default=[100, 1000, 5000], help="past trials of that measurement")
    options.add_argument("--limit", type=float, default=75.0, help="seconds of CPU for a proposal in that measurement")
    options.add_argument("--list", action="store_true", help="list problems and searchers, and end")
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _budgets(given: argparse.Namespace) -> list[int]:
    return [budget for budget in BUDGETS if budget <= given.trials] or [given.trials]


def _ours(names: list[str]) -> list[str]:
    return [f"{OURS} {name}" for name in names]


def _searchers(given: argparse.Namespace) -> list[str]:
    """Return the names of all that take part; raises SystemExit for one that is not there."""
    found, missing = available()
    theirs = [name for module, names in found.items() if module != "ours" for name in names]
    unknown = [name for name in given.peers if name not in ("all", "none", *theirs)]
    if unknown:
        raise SystemExit(f"no peer {unknown[0]!r}; there are: {', '.join(theirs)}; missing: {'; '.join(missing)}")
    wrong = [name for name in given.strategies if " ".join(_ours([name])[0].split(" ")[:2]) not in found["ours"]]
    if wrong:
        raise SystemExit(f"no strategy {wrong[0]!r}; there are: {', '.join(name.split(' ')[1] for name in found['ours'])}")
    if "all" not in given.peers:
        return [*_ours(given.strategies), *(name for name in theirs if name in given.peers)]
    for name in missing:
        ERR.print(f"left out: {name}", markup=False)
    return [*_ours(given.strategies), *theirs]


def _list(given: argparse.Namespace) -> None:
    for problem in find(given.data, given.shift).values():
        usual = " (usual)" if problem.usual else ""
        print(f"{problem.name}: {problem.group}, {len(problem.knobs)} parameters, best {problem.best:.6g}{usual}")
    found, missing = available()
    print("; ".join(name for names in found.values() for name in names))
    print(*(f"missing: {name}" for name in missing), sep="\n")


def _run(given: argparse.Namespace, problems: list[Problem], searchers: list[str], results: Results, batch: int) -> None:
    for problem in problems:
        known = results.yardsticks.get(problem.name)
        if known is None or not set(_budgets(given)) <= set(known.medians):
            results.yardsticks[problem.name] = measure(problem, sorted({*_budgets(given), *BUDGETS}))
    # Seed by seed, so that what a run that was cut short has done is balanced.
    order = [(seed, problem.name, name) for seed in range(given.seeds) for problem in problems for name in searchers]
    tasks = [
        Task(problem, name, seed, given.trials, batch, given.data, given.shift)
        for seed, problem, name in order
        if not results.has((problem, name, seed, batch), given.trials)
    ]
    try:
        for cell in track(run_all(tasks, given.processes), f"cells, {batch} at a time", total=len(tasks), console=ERR):
            results.add(cell)
    finally:
        results.write()


def _show(given: argparse.Namespace, problems: list[Problem], searchers: list[str], results: Results, batch: int) -> None:
    """Print, keep and draw what came of all cells of one number of trials at a time."""
    who = (searchers, [problem.name for problem in problems], given.seeds, batch)
    scores = {budget: score(results.cells, results.yardsticks, who, budget) for budget in _budgets(given)}
    results.summary[f"batch {batch}"] = _summary(scores, given, batch)
    results.write()
    mine = {(p.name, s, seed, batch) for p in problems for s in searchers for seed in range(given.seeds)}
    cells = {key: cell for key, cell in results.cells.items() if key in mine}
    tables.show(scores, problems, list(cells.values()), batch)
    if given.save_plot:
        title = f"{len(problems)} problems, {given.seeds} seeds, {batch} at a time"
        file = given.save_plot if len(given.batch) == 1 else given.save_plot.with_stem(f"{given.save_plot.stem}-{batch}")
        plot.save(plot.curves(cells, results.yardsticks, who[:2], batch), title, file)


def _summary(scores: dict[int, Scores], given: argparse.Namespace, batch: int) -> dict[str, object]:
    searchers = next(iter(scores.values())).searchers
    by_searcher = {name: {trials: item.of(name) for trials, item in scores.items()} for name in searchers}
    settings = {"seeds": given.seeds, "trials": given.trials, "batch": batch, "shift": given.shift}
    return {"machine": machine(), "settings": settings, "searchers": by_searcher}


def _speed(given: argparse.Namespace, searchers: list[str], results: Results) -> None:
    total = len(searchers) * 2 * len(given.past)
    found = list(track(speed.measure(searchers, given.past, (1, 8), given.limit), "answers", total=total, console=ERR))
    results.summary["speed"] = [vars(one) for one in found]
    results.write()
    tables.show_speed(found, given.limit)


if __name__ == "__main__":
    main()
