"""How well trials were ranked before they ran: by a strategy's model, told of the first ones, and by zero-cost proxies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import spearmanr

from tunesmith.registry import load
from tunesmith.spaces._capabilities import Foretelling
from tunesmith.spec import Spec
from tunesmith.strategies._gp.observations import thinned
from tunesmith.strategies._strategy import STRATEGIES, Strategy
from tunesmith.study import Objective, StudyView, Trial

# Places in the search at which the model is made anew, and the least trials to be told of and asked of.
PLACES, LEAST_TOLD, LEAST_ASKED = 8, 6, 6
# Of later trials those that came next are asked of.
MOST_ASKED = 30
# A model of many trials takes seconds: of a longer search it is made at fewer places, and never told of more trials than these.
MOST_TOLD, PLACES_OF_LONG = 400, 4


@dataclass(frozen=True)
class Foresight:
    """How well a strategy's model ranked the trials that came next.

    `points`: after how many trials, and the rank correlation with the up to 30 that ended next. `note`: why there are none
    although the strategy has a model, or what the model was not told of; '' where there is nothing to say.
    """

    points: tuple[tuple[int, float], ...] = ()
    note: str = ""


def foresight(spec: Spec, trials: Sequence[Trial]) -> Foresight:
    """Return how well the strategy's model ranked; nothing for a strategy without one.

    A stopped trial counts with what it had come to, as strategies count it.
    """
    if spec.objective is None:
        return Foresight()
    budget = spec.file.budget
    view = StudyView(spec.space, spec.objective, tuple(trials), len(trials), spec.seed, others=spec.others)
    view = replace(view, budget=budget.trials, parallel=budget.parallel)
    ended = len(view.losses())
    points = _points(spec.strategy, view) if ended >= LEAST_TOLD + LEAST_ASKED else ()
    if points:
        return Foresight(points, _thinning(ended))
    return Foresight(note=_reason(view.objective, ended) if spec.strategy.models(view) else "")


def unlooked(strategy: str) -> Foresight:
    """Return what is told of a search of the user's own code, by the strategy's name: the code may be gone, and is not run."""
    # What `auto` picks for a program has no model.
    modelled = strategy != "auto" and load(STRATEGIES, strategy, Strategy).expect is not Strategy.expect
    return Foresight(note="the space is your own code, which a report does not run" if modelled else "")


def _points(strategy: Strategy, view: StudyView) -> tuple[tuple[int, float], ...]:
    ended, losses = _ended(view)
    places = PLACES if len(ended) <= MOST_TOLD else PLACES_OF_LONG
    found: list[tuple[int, float]] = []
    for count in np.unique(np.linspace(LEAST_TOLD, len(ended) - LEAST_ASKED, places).astype(int)).tolist():
        known = replace(view, trials=tuple(ended[:count]), issued=ended[count].number)
        if not strategy.models(known):
            continue
        told = thinned(losses[:count], MOST_TOLD)
        # Compared is the first objective alone, and so the model is told of no other.
        known = replace(known, trials=tuple(ended[place] for place in told), others=())
        later = slice(count, count + MOST_ASKED)
        expected = strategy.expect(known, [trial.candidate for trial in ended[later]])
        if expected is not None:
            found.append((count, _correlation(expected, losses[later])))
    return tuple(found)


def _reason(objective: Objective, ended: int) -> str:
    """Return why a model has ranked nothing."""
    least = LEAST_TOLD + LEAST_ASKED
    if ended < least:
        return f"{ended} {'trial has' if ended == 1 else 'trials have'} ended with a {objective.metric}; {least} are needed"
    told = f"told of the first {ended - LEAST_ASKED}, the model expects nothing yet of the {LEAST_ASKED} that came next"
    return f"{ended} trials have ended with a {objective.metric}; {told}"


def _thinning(ended: int) -> str:
    if ended - LEAST_ASKED <= MOST_TOLD:
        return ""
    return f"of more than {MOST_TOLD} trials the model was told of {MOST_TOLD}: the best, the latest, and some of the rest"


def foretold(spec: Spec, trials: Sequence[Trial]) -> dict[str, float]:
    """Return by zero-cost proxy the rank correlation with how good the trials were, stopped ones by what they had come to.

    Empty for a space without proxies, and for too few trials.
    """
    if spec.objective is None or not isinstance(spec.space, Foretelling):
        return {}
    ended, losses = _ended(StudyView(spec.space, spec.objective, tuple(trials)))
    if len(ended) < LEAST_ASKED:
        return {}
    proxies = spec.space.proxies([trial.candidate for trial in ended])
    return {name: _correlation(values, -losses) for name, values in proxies.items()}


def _ended(view: StudyView) -> tuple[list[Trial], np.ndarray]:
    """Return the trials with a loss by number, and their losses."""
    losses = view.losses()
    ended = sorted((trial for trial in view.trials if trial.number in losses), key=lambda trial: trial.number)
    return ended, np.array([losses[trial.number] for trial in ended])


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's, 0 where one of them is constant."""
    if not np.ptp(one) or not np.ptp(other):
        return 0.0
    return round(float(spearmanr(one, other)[0]), 3)  # pyright: ignore[reportArgumentType]
