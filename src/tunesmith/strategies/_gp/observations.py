"""A study as arrays: what has ended, of too many trials a part, and what still runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.strategies._gp.cube import Cube
from tunesmith.strategies._gp.warp import warp, warp_excess
from tunesmith.study import Constraint, State, StudyView, Trial

# More trials than these are thinned: a process' cost grows with their cube.
MOST_SEEN = 700
# Kernels are fitted anew with every new best trial, otherwise when a hundredth more have ended, at the latest after so many:
# fewer that are no better hardly change them.
MOST_AWAITED = 8


@dataclass(frozen=True)
class Observations:
    """The ended trials in the order of their numbers.

    units: n x d. losses: NaN for what failed. values: warped losses, what failed like the worst. excesses: one row per
    constraint, warped, 0 the bound. running: m x d, the candidates being tried. finite: how many trials of all had a loss.
    older: the same when kernels were last to be fitted; None where that is now.
    """

    units: np.ndarray
    losses: np.ndarray
    values: np.ndarray
    excesses: np.ndarray
    running: np.ndarray
    finite: int
    older: "Observations | None" = None

    @property
    def fitted(self) -> "Observations":
        """What kernels are fitted to."""
        return self.older or self

    @property
    def kept(self) -> np.ndarray:
        """Which trials kept every bound."""
        return np.asarray((self.excesses <= 0).all(axis=0))

    @property
    def ties(self) -> int:
        """How many trials beside the best one have exactly its value, within the bounds."""
        kept = self.values[self.kept]
        return int((kept == kept.min()).sum()) - 1 if len(kept) else 0

    def best_first(self) -> np.ndarray:
        """Return the positions of the trials: those within the bounds by value, then the others by how far they are beyond."""
        beyond = np.maximum(self.excesses, 0.0).sum(axis=0)
        return np.lexsort((self.values, beyond))


def observe(study: StudyView, cube: Cube) -> Observations:
    """Return what a study tells."""
    # The bounds have processes of their own, so the merits are those of a study without any.
    losses = replace(study, constraints=()).merits()
    ordered = sorted(study.trials, key=lambda trial: trial.number)
    ended = [trial for trial in ordered if trial.state is not State.RUNNING]
    found = np.array([losses.get(trial.number, np.nan) for trial in ended], dtype=float)
    running = cube.encode(trial.candidate for trial in ordered if trial.state is State.RUNNING)

    def observed(count: int) -> Observations:
        return _observed(ended[:count], found[:count], running, study.constraints, cube)

    seen, last = observed(len(ended)), _fitted_last(found)
    return seen if last == len(ended) else replace(seen, older=observed(last))


def _fitted_last(losses: np.ndarray) -> int:
    """Return after how many of these trials kernels were last to be fitted."""
    awaited = min(max(len(losses) // 100, 1), MOST_AWAITED)
    best = int(np.nanargmin(losses)) + 1 if np.isfinite(losses).any() else 0
    return max(len(losses) - len(losses) % awaited, best)


def _observed(
    ended: Sequence[Trial], found: np.ndarray, running: np.ndarray, constraints: Sequence[Constraint], cube: Cube
) -> Observations:
    kept = thinned(found, MOST_SEEN)
    metrics = [ended[i].metrics for i in kept]
    units = cube.encode(ended[i].candidate for i in kept)
    excesses = [warp_excess(np.array([constraint.excess(each) for each in metrics])) for constraint in constraints]
    return Observations(
        units=units,
        losses=found[kept],
        values=_values(found[kept], branch_weights(units)),
        excesses=np.array(excesses).reshape(len(excesses), len(kept)),
        running=running,
        finite=int(np.isfinite(found).sum()),
    )


def thinned(losses: np.ndarray, most: int) -> np.ndarray:
    """Return positions, in order: all, or the best, the latest and some of the rest, a third each."""
    if len(losses) <= most:
        return np.arange(len(losses))
    best = np.argsort(np.where(np.isnan(losses), np.inf, losses), kind="stable")[: most // 3]
    latest = np.arange(len(losses) - most // 3, len(losses))
    chosen = np.union1d(best, latest)
    rest = np.setdiff1d(np.arange(len(losses)), chosen)
    others = np.random.default_rng(len(losses)).choice(rest, size=most - len(chosen), replace=False)
    return np.sort(np.concatenate([chosen, others]))


def branch_weights(units: np.ndarray) -> np.ndarray:
    """Return weights of n x d units, 1 in the mean, by which all branches of a space (rows of the same columns) weigh alike.

    A search crowds where it has found something, and by its many trials there what is left to gain there would look large, all
    that other branches came to alike.
    """
    _, branch, sizes = np.unique(np.isfinite(units), axis=0, return_inverse=True, return_counts=True)
    return len(units) / (len(sizes) * sizes[branch.ravel()])


def _values(losses: np.ndarray, weights: np.ndarray) -> np.ndarray:
    finite = np.isfinite(losses)
    if not finite.any():
        return np.zeros_like(losses)
    values = np.empty_like(losses)
    values[finite] = warp(losses[finite], weights[finite])
    values[~finite] = values[finite].max()
    return values
