"""How many cells progressive search trains for the best that random search finds, and how its surrogates rank larger cells.

On tables of cells that grow (NAS-Bench-101's form) and of one size (NAS-Bench-201's), recognised in the folder --data.
"""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table as Grid
from scipy.stats import spearmanr

import quality.one_core  # noqa: F401  # before anything that starts processes
from folder import folder
from measure import machine, parser
from nas import nb101, tables
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.strategies._progressive.told import SURROGATES, learned, told_of
from tunesmith.strategies._strategy import propose
from tunesmith.strategies._surrogates.tokens import Tokenizer
from tunesmith.strategies.pnas import PNAS
from tunesmith.strategies.random import Random
from tunesmith.study import Objective, State, StudyView, Trial

# What random search is given; progressive search has to come as far with fewer.
RANDOM = 300
ERROR = Objective("error")
Judge = Callable[[Candidate], float]


def main() -> None:
    """Run, and print."""
    given = _options().parse_args()
    warnings.simplefilter("ignore")
    console = Console(width=130)
    grid = Grid(title=f"models needed for what random search finds in {RANDOM}: median (quartiles) of {given.seeds} seeds")
    for name in ("table", "accuracy", "random", "pnas", "share"):
        grid.add_column(name, justify="right" if name != "table" else "left")
    growing = nb101.find(given.data)
    problems: dict[str, tuple[Space, Judge]] = {name: (space, space.accuracy) for name, space in growing.items()}
    for name, table in tables.find(given.data).items():
        if not table.runs:
            problems[f"nb201 {name}"] = (
                NASBench201(),
                lambda candidate, table=table: table.validation[tables.code_of(candidate)],
            )
    for name, (space, judge) in problems.items():
        grid.add_row(name, *_needed(space, judge, given.seeds))
        console.print(f"{name}: done", style="dim")
    console.print(grid)
    for name, space in growing.items():
        for kind, correlation in _correlations(space).items():
            console.print(
                f"{name}: rank correlation of {kind} on cells of three inner vertices, told of all smaller: {correlation:.2f}"
            )
    console.print(machine())


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("--data", type=folder, required=True, metavar="DIR", help="folder with tables")
    options.add_argument("--seeds", type=int, default=20)
    return options


def _needed(space: Space, judge: Judge, seeds: int) -> tuple[str, ...]:
    """Return the accuracy that random search comes to (the median), and the models that either needs for it."""
    curves = {
        name: np.array([_curve(strategy, space, judge, seed) for seed in range(seeds)])
        for name, strategy in (("random", Random()), ("pnas", PNAS()))
    }
    goal = float(np.median(curves["random"][:, -1]))
    needed = {name: [_first(curve, goal) for curve in rows] for name, rows in curves.items()}
    medians = {name: float(np.median(numbers)) for name, numbers in needed.items()}
    told = [_quartiles(needed[name]) for name in ("random", "pnas")]
    return f"{goal:.2f}", *told, f"{medians['pnas'] / medians['random']:.2f}"


def _curve(strategy: Random | PNAS, space: Space, judge: Judge, seed: int) -> np.ndarray:
    """Return the best accuracy after each model."""
    study = StudyView(space, ERROR, seed=seed, budget=RANDOM)
    found: list[float] = []
    while len(found) < RANDOM:
        (proposal,) = propose(strategy, study, 1)
        found.append(judge(proposal.candidate))
        trial = Trial(study.issued, proposal.candidate, State.FINISHED, {"error": 100 - found[-1]})
        study = replace(study, trials=(*study.trials, trial), issued=study.issued + 1)
    return np.maximum.accumulate(found)


def _first(curve: np.ndarray, goal: float) -> int:
    reached = np.flatnonzero(curve >= goal)
    return int(reached[0]) + 1 if len(reached) else len(curve) + 1


def _quartiles(numbers: list[int]) -> str:
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75])
    return f"{middle:.0f} ({low:.0f}-{high:.0f})"


def _correlations(space: nb101.GrowingCells) -> dict[str, float]:
    """Return Spearman's correlation of each kind of surrogate on the largest cells, having seen all smaller ones."""
    rng = np.random.default_rng(0)
    cells: dict[str, Candidate] = {}
    for _ in range(20 * len(space.accuracies)):
        candidate = space.sample(rng)
        cells.setdefault(space.identity(candidate), candidate)
    small = [cell for cell in cells.values() if space.size_of(cell) < nb101.MOST]
    large = [cell for cell in cells.values() if space.size_of(cell) == nb101.MOST]
    trials = tuple(Trial(n, cell, State.FINISHED, {"error": 100 - space.accuracy(cell)}) for n, cell in enumerate(small))
    told = told_of(StudyView(space, ERROR, trials, len(trials)), len(trials), Tokenizer(space))
    truth = [space.accuracy(cell) for cell in large]
    return {kind: float(spearmanr(learned(kind, told, 0).scores(large), truth)[0]) for kind in SURROGATES}  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main()
