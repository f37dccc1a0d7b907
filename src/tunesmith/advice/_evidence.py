"""The trials of a study in the order of their merit: all that advice is derived from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tunesmith.aims import Aims
from tunesmith.ranking import pareto_front, ranking
from tunesmith.study import State, Trial

# The best quarter of the trials, at least and at most so many, is what the good ones are.
QUARTER, FEWEST_GOOD, MOST_GOOD = 4, 5, 40
# What is larger cannot be added to.
LARGEST = 1e300


@dataclass(frozen=True)
class Evidence:
    """The ended trials by number, and the level of each: 0 for the best, equal for equally good ones.

    Finished trials that keep all constraints come first by their loss, then those that do not, by how far they miss them.
    Stopped and failed ones share the last level: how good they would have been nobody knows, but none was among the best.
    `front`: how many trials the Pareto front has; all of them are good, since nobody knows which of them will be taken.
    """

    trials: tuple[Trial, ...]
    levels: np.ndarray
    losses: np.ndarray
    front: int = 0

    @cached_property
    def finite(self) -> np.ndarray:
        """The losses of the feasible finished trials."""
        return self.losses[np.isfinite(self.losses)]

    @cached_property
    def stopped(self) -> int:
        """How many trials were stopped early: the bar that they missed says that they are worse than the best."""
        return sum(trial.state is State.STOPPED for trial in self.trials)

    @cached_property
    def bounded(self) -> np.ndarray:
        """The losses of the feasible finished trials, and between them the worst of these for each that was stopped early."""
        worst = float(self.finite.max(initial=-LARGEST))
        losses = [worst if t.state is State.STOPPED else loss for t, loss in zip(self.trials, self.losses, strict=True)]
        return np.array([loss for loss in losses if math.isfinite(loss)])

    @cached_property
    def good(self) -> list[Trial]:
        """The best quarter of the trials, and all of the front, the best first."""
        count = min(max(math.ceil(len(self.trials) / QUARTER), FEWEST_GOOD), MOST_GOOD, len(self.finite))
        count = max(count, self.front)
        return [self.trials[i] for i in np.argsort(self.levels, kind="stable")[:count]]

    def better_half(self) -> "Evidence":
        """Return the better half of the trials, still by number."""
        chosen = np.sort(np.argsort(self.levels, kind="stable")[: math.ceil(len(self.trials) / 2)])
        return Evidence(tuple(self.trials[i] for i in chosen), self.levels[chosen], self.losses[chosen], self.front)

    @property
    def constant(self) -> bool:
        """Whether all trials are equally good."""
        return len(np.unique(self.levels)) < 2


def gather(trials: Sequence[Trial], aims: Aims) -> Evidence:
    """Return the evidence of a study's ended trials for all of its aims, several objectives in the leaderboard's order.

    `losses` are those of the first objective.
    """
    leading = gather_one(trials, aims)
    if len(aims.objectives) == 1:
        return leading
    places = {trial.number: place for place, trial in enumerate(ranking(leading.trials, aims))}
    # What did not finish, or misses a bound, keeps its distance behind all of the leaderboard.
    behind = [len(places) * (1 + level) for level in leading.levels]
    counts = np.isfinite(leading.losses)
    levels = [places[t.number] if count else far for t, count, far in zip(leading.trials, counts, behind, strict=True)]
    return Evidence(leading.trials, np.array(levels, dtype=int), leading.losses, len(pareto_front(leading.trials, aims)))


def gather_one(trials: Sequence[Trial], aims: Aims) -> Evidence:
    """Return the evidence of a study's ended trials for the first of its aims' objectives, within all constraints.

    `losses` are those of feasible finished trials, LARGEST at most, infinite for others.
    """
    ended = sorted((trial for trial in trials if trial.done), key=lambda trial: trial.number)
    places = [_place(trial, aims) for trial in ended]
    ranks = {place: rank for rank, place in enumerate(sorted(set(places)))}
    losses = [max(-LARGEST, min(loss, LARGEST)) if group == 0 else math.inf for group, loss in places]
    return Evidence(tuple(ended), np.array([ranks[place] for place in places], dtype=int), np.array(losses, dtype=float))


def _place(trial: Trial, aims: Aims) -> tuple[int, float]:
    losses, missed = aims.losses(trial.metrics), aims.violation(trial.metrics)
    if trial.state is not State.FINISHED or not all(map(math.isfinite, (*losses, missed))):
        return 2, 0.0
    return (1, missed) if missed > 0 else (0, losses[0])
