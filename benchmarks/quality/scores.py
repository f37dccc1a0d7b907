"""Scores of searchers over problems and seeds, from their cells."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata, wilcoxon

from quality.baseline import Yardstick
from quality.cells import Cell, Key
from quality.searchers import OURS

FLOOR = 0.01


@dataclass(frozen=True)
class Duel:
    """One searcher against another over all pairs of problem and seed, by Wilcoxon's signed-rank test of log regrets."""

    other: str
    wins: int
    losses: int
    p: float


def duel_of(other: str, gaps: np.ndarray) -> Duel:
    """Return how a searcher fares whose log regrets differ so much from the other's; what is NaN is left out."""
    known = gaps[~np.isnan(gaps)]
    p = float(wilcoxon(known).pvalue) if np.any(known) else 1.0  # pyright: ignore[reportAttributeAccessIssue]
    return Duel(other, int(np.sum(known < 0)), int(np.sum(known > 0)), p)


@dataclass(frozen=True)
class Scores:
    """Floored regrets, shape (searchers, problems, seeds), at one budget; NaN where a problem tells nothing."""

    searchers: tuple[str, ...]
    problems: tuple[str, ...]
    regrets: np.ndarray

    def by_problem(self) -> np.ndarray:
        """Return the floored medians over the seeds, shape (searchers, problems)."""
        return np.median(self.regrets, axis=2)

    def mean(self, of: Callable[[str], bool] = bool) -> np.ndarray:
        """Return the geometric mean over the problems that `of` takes, shape (searchers,); NaN where it takes none."""
        chosen = [i for i, name in enumerate(self.problems) if of(name)]
        logs = np.log(self.by_problem()[:, chosen])
        return np.exp(np.nanmean(logs, axis=1)) if chosen else np.full(len(self.searchers), math.nan)

    def ranks(self) -> np.ndarray:
        """Return each searcher's mean rank among itself and the peers, over problems and seeds, shape (searchers,).

        So it does not matter how many of ours take part.
        """
        return np.array(
            [self._rank(index, self.regrets.reshape(len(self.searchers), -1)) for index in range(len(self.searchers))]
        )

    def median_ranks(self) -> np.ndarray:
        """Return the same of the medians over the seeds, over problems, shape (searchers,)."""
        return np.array([self._rank(index, self.by_problem()) for index in range(len(self.searchers))])

    def _rank(self, index: int, values: np.ndarray) -> float:
        others = [i for i in self._peers() if i != index]
        known = values[:, ~np.isnan(values).any(axis=0)]
        return float(np.mean(rankdata(known[[index, *others]], axis=0)[0]))

    def _peers(self) -> list[int]:
        return [i for i, name in enumerate(self.searchers) if not name.startswith(OURS)]

    def of(self, searcher: str) -> dict[str, Any]:
        """Return one searcher's figures as plain data."""
        index, duel = self.searchers.index(searcher), self.duel(searcher)
        return {
            "regret": float(self.mean()[index]),
            "rank": float(self.ranks()[index]),
            "rank_of_medians": float(self.median_ranks()[index]),
            "against_best_peer": asdict(duel) if duel else None,
            "by_problem": dict(zip(self.problems, self.by_problem()[index].tolist(), strict=True)),
        }

    def duel(self, searcher: str) -> Duel | None:
        """Compare with the peer whose mean regret is least; None where there is no peer but itself."""
        own, mean = self.searchers.index(searcher), self.mean()
        rivals = [i for i in self._peers() if i != own]
        if not rivals:
            return None
        best = min(rivals, key=lambda i: mean[i])
        return duel_of(self.searchers[best], np.log(self.regrets[own]) - np.log(self.regrets[best]))


def score(
    cells: Mapping[Key, Cell],
    yardsticks: dict[str, Yardstick],
    who: tuple[Sequence[str], Sequence[str], int, int],
    trials: int,
) -> Scores:
    """Score at a budget; `who`: searchers, problems, number of seeds, batch. Every cell must be there."""
    searchers, problems, seeds, batch = who
    regrets = np.array(
        [
            [
                [yardsticks[problem].regret(cells[problem, searcher, seed, batch].at(trials), trials) for seed in range(seeds)]
                for problem in problems
            ]
            for searcher in searchers
        ]
    )
    return Scores(tuple(searchers), tuple(problems), np.maximum(regrets, FLOOR))
