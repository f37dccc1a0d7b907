"""The leaderboard's order, and which trial is the best.

Finished trials come first, then stopped, failed and running ones. Of the finished ones those that keep all constraints come
first, then the others by how far they miss them. With one objective they go by its value. With several they go by front (what
nothing dominates, what only that dominates, and so on), and within a front by the distance to the ideal point of the first,
each objective measured in units of the first front's range: the first of all is the knee of the Pareto front.
"""

import math
from collections.abc import Sequence

import numpy as np

from tunesmith.aims import Aims
from tunesmith.pareto import fronts, to_ideal, volume_shares
from tunesmith.study import State, Trial

TIE_BREAKER = "val_loss"
# The volume of more objectives takes long, and says little.
MOST_FOR_VOLUME = 3
ORDER = [State.FINISHED, State.STOPPED, State.FAILED, State.RUNNING]


def ranking(trials: Sequence[Trial], aims: Aims) -> list[Trial]:
    """Return all trials in the leaderboard's order.

    Of equal values the lower TIE_BREAKER is first (an accuracy on few examples has many ties), then the earlier trial.
    """
    places = _places(trials, aims)

    def key(trial: Trial) -> tuple[int, float, tuple[float, float], float, float, int]:
        finished = trial.state is State.FINISHED
        missed = aims.violation(trial.metrics) if finished else 0.0
        place = places.get(trial.number, (math.inf, math.inf))
        tie = trial.metrics.get(TIE_BREAKER, math.inf)
        return ORDER.index(trial.state), missed, place, aims.losses(trial.metrics)[0], tie, trial.number

    return sorted(trials, key=key)


def best_trial(trials: Sequence[Trial], aims: Aims) -> Trial | None:
    """Return the first of the leaderboard; None where no trial has finished within the constraints."""
    ranked = ranking(trials, aims)
    return ranked[0] if ranked and _counts(ranked[0], aims) else None


def pareto_front(trials: Sequence[Trial], aims: Aims) -> list[Trial]:
    """Return the finished trials within the constraints that none of them dominates, in the leaderboard's order."""
    counting = [trial for trial in trials if _counts(trial, aims)]
    if not counting:
        return []
    found = fronts(np.array([aims.losses(trial.metrics) for trial in counting]))
    return ranking([trial for trial, front in zip(counting, found, strict=True) if front == 0], aims)


def volume_growth(trials: Sequence[Trial], aims: Aims) -> list[tuple[int, float]]:
    """Return the front's hypervolume as it grew: for every finished trial within the constraints its number and the share then.

    Of the box between the best and the worst values of all of them. Nothing for one objective, or more than MOST_FOR_VOLUME.
    """
    counting = sorted((trial for trial in trials if _counts(trial, aims)), key=lambda trial: trial.number)
    if not counting or not 1 < len(aims.objectives) <= MOST_FOR_VOLUME:
        return []
    shares = volume_shares(np.array([aims.losses(trial.metrics) for trial in counting]))
    return [(trial.number, share) for trial, share in zip(counting, shares, strict=True)]


def volume_to_json(growth: Sequence[tuple[int, float]]) -> list[dict[str, float]]:
    """Return where the hypervolume grew, as plain data: it stays the same until the next entry."""
    before = [-1.0, *(share for _, share in growth)]
    return [{"trial": number, "share": share} for (number, share), last in zip(growth, before, strict=False) if share > last]


def _counts(trial: Trial, aims: Aims) -> bool:
    """Tell whether the trial may be the best."""
    known = all(math.isfinite(loss) for loss in aims.losses(trial.metrics))
    return trial.state is State.FINISHED and known and aims.violation(trial.metrics) == 0


def _places(trials: Sequence[Trial], aims: Aims) -> dict[int, tuple[float, float]]:
    """Return front and distance to the ideal by number, of the trials that several objectives are to order."""
    counting = [trial for trial in trials if _counts(trial, aims)]
    if len(aims.objectives) == 1 or not counting:
        return {}
    losses = np.array([aims.losses(trial.metrics) for trial in counting])
    found = fronts(losses)
    distances = to_ideal(losses, losses[found == 0])
    return {
        trial.number: (float(front), float(distance)) for trial, front, distance in zip(counting, found, distances, strict=True)
    }
