"""Normalised regrets, and what one searcher's are beside another's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wilcoxon

from curves.cells import Cell
from curves.tables import Problem

FLOOR = 0.01
REPETITIONS = 4000

Key = tuple[str, str, int, int]


@dataclass(frozen=True)
class Scores:
    """Regrets of at least FLOOR, shape (searchers, problems, seeds), at one budget and for so many workers.

    0 is the best of the table, 1 what random search without stopping has in the median at that budget.
    """

    searchers: Sequence[str]
    problems: Sequence[str]
    regrets: np.ndarray

    def by_problem(self) -> np.ndarray:
        """Return the medians over the seeds, shape (searchers, problems)."""
        return np.median(self.regrets, axis=2)

    def mean(self, searcher: str) -> float:
        """Return a searcher's geometric mean over the problems of its medians."""
        return float(np.exp(np.mean(np.log(self.by_problem()[self.searchers.index(searcher)]))))

    def beside(self, searcher: str, other: str) -> tuple[float, float]:
        """Return the ratio of the means, and p of Wilcoxon's signed-rank test over all pairs of problem and seed."""
        mine, theirs = (np.log(self.regrets[self.searchers.index(name)]) for name in (searcher, other))
        gaps = (mine - theirs).ravel()
        p = float(wilcoxon(gaps).pvalue) if np.any(gaps) else 1.0  # pyright: ignore[reportAttributeAccessIssue]
        return self.mean(searcher) / self.mean(other), p


def score(
    cells: Mapping[Key, Cell], problems: Mapping[str, Problem], searchers: Sequence[str], seeds: int, at: tuple[int, int]
) -> Scores:
    """Score at `at`, a budget in full trials and a number of workers. Every cell must be there."""
    budget, workers = at
    regrets = []
    for name, problem in problems.items():
        worth = np.where(np.isfinite(problem.worth), problem.worth, math.inf)
        best, worst = float(worth.min()), float(worth[np.isfinite(worth)].max())
        span = _random(worth, budget) - best
        found = [[min(cells[name, who, seed, workers].best[budget], worst) for seed in range(seeds)] for who in searchers]
        if span > 0:
            regrets.append((np.array(found) - best) / span)
    return Scores(searchers, list(problems), np.maximum(np.stack(regrets, axis=1), FLOOR))


def _random(worth: np.ndarray, budget: int) -> float:
    """Return the median of the best of so many settings of a table."""
    picked = np.random.default_rng(0).integers(len(worth), size=(REPETITIONS, budget))
    return float(np.median(worth[picked].min(axis=1)))
