"""How well trials were ranked before they ran: by a strategy's model, told of the first ones, and by zero-cost proxies."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

from tunesmith.spaces._capabilities import Foretelling
from tunesmith.spec import Spec
from tunesmith.study import Objective, State, StudyView, Trial

# Places in the search at which the model is made anew, and the least trials to be told of and asked of.
PLACES, LEAST_TOLD, LEAST_ASKED = 8, 6, 6
# Of later trials those that came next; beyond so many trials nothing is looked at, which would take minutes.
MOST_ASKED, MOST_TRIALS = 30, 400


def foresight(spec: Spec, trials: Sequence[Trial]) -> list[tuple[int, float]]:
    """Return pairs of how many trials were told, and the rank correlation with the up to 30 that finished next.

    Empty for a strategy without a model, and for a search too short or too long.
    """
    if spec.objective is None:
        return []
    finished = _finished(trials)
    if not LEAST_TOLD + LEAST_ASKED <= len(finished) <= MOST_TRIALS:
        return []
    view = StudyView(spec.space, spec.objective, tuple(trials), len(trials), spec.seed, budget=spec.file.budget.trials)
    found = []
    for told in np.unique(np.linspace(LEAST_TOLD, len(finished) - LEAST_ASKED, PLACES).astype(int)).tolist():
        later = finished[told : told + MOST_ASKED]
        known = replace(view, trials=tuple(finished[:told]), issued=finished[told].number)
        expected = spec.strategy.expect(known, [trial.candidate for trial in later])
        if expected is None:
            continue
        found.append((told, _correlation(expected, _losses(view.objective, later))))
    return found


def foretold(spec: Spec, trials: Sequence[Trial]) -> dict[str, float]:
    """Return by zero-cost proxy the rank correlation with how good the finished trials were.

    Empty for a space without proxies, and for too few trials.
    """
    finished = _finished(trials)
    if spec.objective is None or not isinstance(spec.space, Foretelling) or len(finished) < LEAST_ASKED:
        return {}
    goodness = -_losses(spec.objective, finished)
    proxies = spec.space.proxies([trial.candidate for trial in finished])
    return {name: _correlation(values, goodness) for name, values in proxies.items()}


def _finished(trials: Sequence[Trial]) -> list[Trial]:
    return sorted((trial for trial in trials if trial.state is State.FINISHED), key=lambda trial: trial.number)


def _losses(objective: Objective, trials: Sequence[Trial]) -> np.ndarray:
    return np.array([objective.loss(trial.metrics[objective.metric]) for trial in trials])


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's, 0 where one of them is constant."""
    if not np.ptp(one) or not np.ptp(other):
        return 0.0
    return round(float(spearmanr(one, other)[0]), 3)  # pyright: ignore[reportArgumentType]
