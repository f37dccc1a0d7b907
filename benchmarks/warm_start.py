"""What an earlier study of a related problem is worth, and what a useless one costs.

Pairs of tables with the same parameters (other data sets, other tasks): a search of one is the earlier study of the other. A
table is paired with the next one by name, whether alike or not, or with the one that ranks random settings most alike: somebody
who knows related problems would choose that one.
Its candidates are mapped and handed on by the functions that every search file's `warm_start` goes through. Each pair is also
searched with the earlier losses shuffled over the candidates, which makes them useless. Searches of one seed are compared with
one another, too: by how much the logarithms of their regrets differ.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import rankdata

import quality.one_core  # noqa: F401  # before anything that starts processes
from folder import folder
from measure import Measurement, parser, show
from quality.baseline import Yardstick, measure
from quality.problem import Problem, TrialFailed
from quality.problems import find, select
from quality.scores import FLOOR, duel_of
from quality.searchers.ours import Ours, make
from tunesmith.aims import Aims
from tunesmith.spaces._space import Candidate
from tunesmith.study import EarlierStudy, Objective, Trial
from tunesmith.translation import Translator
from tunesmith.warm_start import digest, first_of

# Random settings that show how alike two tables are.
LOOKS = 500
ERR = Console(stderr=True)


@dataclass(frozen=True)
class Pair:
    """A problem and the one that was searched before."""

    problem: Problem
    earlier: Problem


@dataclass(frozen=True)
class Task:
    """A search that is to be run; `earlier`: the trials of the study before it, none where it begins cold."""

    strategy: str
    problem: str
    seed: int
    trials: int
    data: Path
    earlier: tuple[Trial, ...] = ()


@dataclass(frozen=True)
class Search:
    """One search's trials and the least loss after each."""

    trials: tuple[Trial, ...]
    curve: np.ndarray


# By kind, for every pair: one search a seed.
Found = dict[str, list[list[Search]]]


def main() -> None:
    """Search every pair cold, warm and with shuffled losses, and print."""
    given = _options().parse_args()
    pairs = list(_pairs(select(find(given.data), given.problems or ["*"]), given.pairs, PARTNERS[given.partner]))
    if not pairs:
        raise SystemExit("no two tables with the same parameters; --data names their folder")
    shown: list[Measurement] = []
    yardsticks = [measure(pair.problem, _budgets(given.trials)) for pair in pairs]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for strategy in given.strategies:
            found = _searched(strategy, pairs, given, pool)
            shown += _figures(strategy, found, yardsticks)
            _show_duels(strategy, found, yardsticks)
    settings = {"pairs": len(pairs), "partner": given.partner, "seeds": given.seeds, "trials": given.trials}
    show(f"warm start, after the {given.partner} table: medians over pairs", shown, settings, given.json)


def _options() -> argparse.ArgumentParser:
    options = parser(__doc__)
    options.add_argument("--data", type=folder, required=True, metavar="DIR", help="folder with tables")
    options.add_argument("--problems", nargs="*", default=[], metavar="PATTERN", help="problems by name, * for anything")
    options.add_argument("--pairs", type=int, default=3, help="pairs a kind of table, at most")
    options.add_argument("--partner", choices=PARTNERS, default="next", help="which other table is searched before")
    options.add_argument("--strategies", nargs="+", default=["gp", "tpe"], help="strategies to compare")
    options.add_argument("--seeds", type=int, default=10, help="repetitions")
    options.add_argument("--trials", type=int, default=50, help="trials of every search")
    options.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="searches at a time")
    return options


def _pairs(problems: Sequence[Problem], most: int, partner: "Partner") -> Iterator[Pair]:
    """Yield each problem with its partner among those of the same parameters, `most` of a kind."""
    plain = [problem for problem in problems if not problem.name.endswith(("-noisy", "-failing"))]
    kinds = groupby(
        sorted(plain, key=lambda problem: (repr(problem.knobs), problem.name)), key=lambda problem: repr(problem.knobs)
    )
    for _, kind in kinds:
        alike = list(kind)
        if len(alike) > 1:
            yield from (Pair(alike[i], partner(alike, i)) for i in range(min(most, len(alike))))


Partner = Callable[[Sequence[Problem], int], Problem]


def _next(problems: Sequence[Problem], at: int) -> Problem:
    return problems[(at + 1) % len(problems)]


def _most_alike(problems: Sequence[Problem], at: int) -> Problem:
    """Return the problem that ranks random settings most alike; one that fails counts like the worst."""
    rng = np.random.default_rng(0)
    drawn = [problems[at].space.sample(rng) for _ in range(LOOKS)]
    own = _losses(problems[at], drawn)
    others = [problem for problem in problems if problem is not problems[at]]
    return max(others, key=lambda other: _likeness(own, _losses(other, drawn)))


def _likeness(own: Sequence[float], others: Sequence[float]) -> float:
    """Return the rank correlation, 0 where either does not vary."""
    ranks = np.array([rankdata(own), rankdata(others)])
    return float(np.corrcoef(ranks)[0, 1]) if np.ptp(ranks, axis=1).all() else 0.0


def _losses(problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
    losses = []
    for candidate in candidates:
        try:
            losses.append(problem.loss(candidate))
        except TrialFailed:
            losses.append(np.inf)
    return losses


PARTNERS: dict[str, Partner] = {"next": _next, "alike": _most_alike}


def _searched(strategy: str, pairs: Sequence[Pair], given: argparse.Namespace, pool: ProcessPoolExecutor) -> Found:
    """Return the searches of every pair, one a seed: cold, warm and after shuffled losses."""
    names = sorted({one.name for pair in pairs for one in (pair.problem, pair.earlier)})
    begun = [Task(strategy, name, seed, given.trials, given.data) for name in names for seed in range(given.seeds)]
    cold = {(task.problem, task.seed): search for task, search in zip(begun, _run(pool, begun, "cold"), strict=True)}

    def after(pair: Pair, seed: int, kind: str) -> Task:
        # Another seed, or the first design would be the same.
        trials = cold[pair.earlier.name, (seed + 1) % given.seeds].trials
        told = _shuffled(trials, seed) if kind == "shuffled" else trials
        return Task(strategy, pair.problem.name, seed, given.trials, given.data, told)

    found = {"cold": [[cold[pair.problem.name, seed] for seed in range(given.seeds)] for pair in pairs]}
    for kind in ("warm", "shuffled"):
        done = _run(pool, [after(pair, seed, kind) for pair in pairs for seed in range(given.seeds)], kind)
        found[kind] = [done[at : at + given.seeds] for at in range(0, len(done), given.seeds)]
    return found


def _run(pool: ProcessPoolExecutor, tasks: Sequence[Task], kind: str) -> list[Search]:
    label = f"{tasks[0].strategy} {kind}"
    return list(track(pool.map(_search, tasks), label, total=len(tasks), console=ERR))


def _figures(strategy: str, found: Found, yardsticks: Sequence[Yardstick]) -> Iterator[Measurement]:
    goals = [float(np.median([search.curve[-1] for search in searches])) for searches in found["cold"]]
    for kind in ("cold", "warm", "shuffled"):
        needed = [[_needed(search, goal) for search in searches] for searches, goal in zip(found[kind], goals, strict=True)]
        yield Measurement(f"{strategy} {kind}: trials to the cold result", "trials", [float(np.median(row)) for row in needed])
    for budget in yardsticks[0].medians:
        for kind in ("cold", "warm", "shuffled"):
            regrets = [_regret(yard, row, budget) for yard, row in zip(yardsticks, found[kind], strict=True)]
            yield Measurement(f"{strategy} {kind}: regret at {budget}, geometric mean", "", [_geometric_mean(regrets)])


def _budgets(trials: int) -> list[int]:
    """Return after how many trials searches are compared."""
    return sorted({max(trials // 5, 1), max(trials // 2, 1), trials})


def _show_duels(strategy: str, found: Found, yardsticks: Sequence[Yardstick]) -> None:
    """Print how searches of the same pair and seed differ from the cold ones: by the logarithms of their floored regrets."""
    table = Table(title=f"{strategy}: beside cold searches of the same seeds", title_justify="left")
    for heading in ("", "trials", "difference of log regret", "standard error", "ahead", "behind", "p"):
        table.add_column(heading, justify="right" if heading else "left")
    for budget in yardsticks[0].medians:
        logs = {
            kind: np.array([_log_regrets(yard, row, budget) for yard, row in zip(yardsticks, rows, strict=True)])
            for kind, rows in found.items()
        }
        for kind in ("warm", "shuffled"):
            table.add_row(kind, str(budget), *_duel(logs[kind] - logs["cold"]))
    Console(width=128).print(table)


def _duel(gaps: np.ndarray) -> tuple[str, ...]:
    """Return in words the mean of pairs × seeds, its standard error by pairs, how many are below and above 0, Wilcoxon's p."""
    of_pairs = gaps[np.isfinite(gaps).all(axis=1)].mean(axis=1)
    error = f"{of_pairs.std(ddof=1) / len(of_pairs) ** 0.5:.2f}" if len(of_pairs) > 1 else ""
    duel = duel_of("cold", gaps)
    return f"{np.nanmean(gaps):+.2f}", error, str(duel.wins), str(duel.losses), f"{duel.p:.1g}"


def _log_regrets(yardstick: Yardstick, searches: Sequence[Search], budget: int) -> np.ndarray:
    return np.log(np.maximum([yardstick.regret(float(search.curve[budget - 1]), budget) for search in searches], FLOOR))


def _search(task: Task) -> Search:
    problem = find(task.data)[task.problem]
    searcher = make(f"tunesmith {task.strategy}", problem.knobs, task.seed, task.trials, 1)
    if task.earlier:
        searcher = searcher.after(*_told(task.earlier, searcher, task.trials))
    best, curve = np.inf, []
    for _ in range(task.trials):
        (candidate,) = searcher.ask(1)
        try:
            loss = problem.loss(candidate)
        except TrialFailed:
            loss = None
        searcher.tell([(candidate, loss)])
        best = best if loss is None else min(best, loss)
        curve.append(best)
    return Search(tuple(searcher.trials), np.array(curve))


def _told(trials: Sequence[Trial], searcher: Ours, count: int) -> tuple[tuple[EarlierStudy, ...], tuple[dict, ...]]:
    best, study = digest("earlier", trials, Translator(searcher.space), Aims((Objective("loss"),)))
    return (study,), tuple(dict(candidate) for candidate in first_of([best], count, known=False))


def _shuffled(trials: Sequence[Trial], seed: int) -> tuple[Trial, ...]:
    order = np.random.default_rng([7, seed]).permutation(len(trials))
    return tuple(
        Trial(one.number, one.candidate, trials[at].state, trials[at].metrics) for one, at in zip(trials, order, strict=True)
    )


def _needed(search: Search, goal: float) -> float:
    """Return the number of the first trial that reached the goal, one more than there were where none did."""
    reached = np.flatnonzero(search.curve <= goal)
    return float(reached[0] + 1) if len(reached) else float(len(search.curve) + 1)


def _regret(yardstick: Yardstick, searches: Sequence[Search], budget: int) -> float:
    return float(np.median([yardstick.regret(float(search.curve[budget - 1]), budget) for search in searches]))


def _geometric_mean(regrets: Sequence[float]) -> float:
    known = np.array([regret for regret in regrets if np.isfinite(regret)])
    return float(np.exp(np.log(np.maximum(known, FLOOR)).mean()))


if __name__ == "__main__":
    main()
