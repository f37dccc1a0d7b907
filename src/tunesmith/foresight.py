"""How well a strategy's model ranked what came later: told of the first trials, it is asked of those after them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

from tunesmith.spec import Spec
from tunesmith.study import State, StudyView, Trial

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
    finished = sorted((trial for trial in trials if trial.state is State.FINISHED), key=lambda trial: trial.number)
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
        losses = [view.objective.loss(trial.metrics[view.objective.metric]) for trial in later]
        correlation = float(spearmanr(expected, losses)[0]) if np.ptp(expected) and np.ptp(losses) else 0.0  # pyright: ignore[reportArgumentType]
        found.append((told, round(correlation, 3)))
    return found
