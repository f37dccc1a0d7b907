"""What random search reaches: the yardstick of every problem."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quality.problem import Problem, TrialFailed

DRAWS = 10_000
REPETITIONS = 4000


@dataclass(frozen=True)
class Yardstick:
    """A problem's best known loss, random search's median by budget, and the worst loss that random search met.

    The worst stands for a search all of whose trials failed.
    """

    best: float
    medians: dict[int, float]
    worst: float

    def regret(self, loss: float, trials: int) -> float:
        """Return 0 for the best known, 1 for random search's median; NaN where random search has the best in half its runs."""
        span = self.medians[trials] - self.best
        return (min(loss, self.worst) - self.best) / span if span > 0 else math.nan


def measure(problem: Problem, budgets: Sequence[int]) -> Yardstick:
    """Repeat random search many times, as resamples of DRAWS evaluations of draws from the prior."""
    rng = np.random.default_rng(0)
    pairs = np.array([_draw(problem, rng, number) for number in range(DRAWS)])
    picked = rng.integers(DRAWS, size=(REPETITIONS, max(budgets)))
    observed, true = pairs[picked, 0], pairs[picked, 1]
    rows = np.arange(REPETITIONS)
    medians = {budget: float(np.median(true[rows, observed[:, :budget].argmin(axis=1)])) for budget in budgets}
    return Yardstick(problem.best, medians, float(np.max(pairs[np.isfinite(pairs[:, 1]), 1])))


def _draw(problem: Problem, rng: np.random.Generator, number: int) -> tuple[float, float]:
    try:
        return problem.evaluate(problem.space.sample(rng), 0, number)
    except TrialFailed:
        return math.inf, math.inf
