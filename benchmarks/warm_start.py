"""What an earlier study of a related problem is worth, and what a useless one costs.

Pairs of tables with the same parameters (other data sets, other tasks): a search of one is the earlier study of the other. A
table is paired with the next one by name, whether alike or not, or with the one that ranks random settings most alike: somebody
who knows related problems would choose that one.
Its candidates are mapped and handed on by the functions that every search file's `warm_start` goes through. Each pair is also
searched with the earlier losses shuffled over the candidates, which makes them useless.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from rich.console import Console
from rich.progress import track
from scipy.stats import rankdata

import quality.one_core  # noqa: F401  # before anything that loads NumPy
from folder import folder
from measure import Measurement, parser, show
from quality.baseline import Yardstick, measure
from quality.problem import Problem, TrialFailed
from quality.problems import find, select
from quality.searchers.ours import Ours, make
from tunesmith.aims import Aims
from tunesmith.spaces._space import Candidate
from tunesmith.study import EarlierStudy, Objective, Trial
from tunesmith.translation import Translator
from tunesmith.warm_start import digest, first_of

FLOOR = 0.01
# Random settings that show how alike two tables are.
LOOKS = 500
ERR = Console(stderr=True)


@dataclass(frozen=True)
class Pair:
    """A problem and the one that was searched before."""

    problem: Problem
    earlier: Problem


@dataclass(frozen=True)
class Search:
    """One search's trials and the least loss after each."""

    trials: tuple[Trial, ...]
    curve: np.ndarray


def main() -> None:
    """Search every pair cold, warm and with shuffled losses, and print."""
    given = _options().parse_args()
    pairs = list(_pairs(select(find(given.data), given.problems or ["*"]), given.pairs, PARTNERS[given.partner]))
    if not pairs:
        raise SystemExit("no two tables with the same parameters; --data names their folder")
    shown = [item for strategy in given.strategies for item in _measured(strategy, pairs, given)]
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


def _measured(strategy: str, pairs: Sequence[Pair], given: argparse.Namespace) -> Iterator[Measurement]:
    cold: dict[tuple[str, int], Search] = {}
    found: dict[str, list[list[Search]]] = {"cold": [], "warm": [], "shuffled": []}
    for pair in track(pairs, strategy, console=ERR):
        ERR.print(f"{pair.problem.name} after {pair.earlier.name}")
        for problem in (pair.problem, pair.earlier):
            for seed in range(given.seeds):
                if (problem.name, seed) not in cold:
                    cold[problem.name, seed] = _search(strategy, problem, seed, given.trials, None)
        found["cold"].append([cold[pair.problem.name, seed] for seed in range(given.seeds)])
        for kind in ("warm", "shuffled"):
            # Another seed, or the first design would be the same.
            sources = [cold[pair.earlier.name, (seed + 1) % given.seeds].trials for seed in range(given.seeds)]
            told = [_shuffled(source, seed) if kind == "shuffled" else source for seed, source in enumerate(sources)]
            found[kind].append([_search(strategy, pair.problem, seed, given.trials, told[seed]) for seed in range(given.seeds)])
    yield from _figures(strategy, pairs, found, given.trials)


def _figures(strategy: str, pairs: Sequence[Pair], found: dict[str, list[list[Search]]], trials: int) -> Iterator[Measurement]:
    goals = [float(np.median([search.curve[-1] for search in searches])) for searches in found["cold"]]
    for kind in ("cold", "warm", "shuffled"):
        needed = [[_needed(search, goal) for search in searches] for searches, goal in zip(found[kind], goals, strict=True)]
        yield Measurement(f"{strategy} {kind}: trials to the cold result", "trials", [float(np.median(row)) for row in needed])
    for budget in sorted({trials // 2, trials}):
        yardsticks = [measure(pair.problem, [budget]) for pair in pairs]
        for kind in ("cold", "warm", "shuffled"):
            regrets = [_regret(yard, row, budget) for yard, row in zip(yardsticks, found[kind], strict=True)]
            yield Measurement(f"{strategy} {kind}: regret at {budget}, geometric mean", "", [_geometric_mean(regrets)])


def _search(strategy: str, problem: Problem, seed: int, count: int, earlier: Sequence[Trial] | None) -> Search:
    searcher = make(f"tunesmith {strategy}", problem.knobs, seed, count, 1)
    if earlier is not None:
        searcher = searcher.after(*_told(earlier, searcher, count))
    best, curve = np.inf, []
    for _ in range(count):
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


def _shuffled(trials: Sequence[Trial], seed: int) -> list[Trial]:
    order = np.random.default_rng([7, seed]).permutation(len(trials))
    return [
        Trial(one.number, one.candidate, trials[at].state, trials[at].metrics) for one, at in zip(trials, order, strict=True)
    ]


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
