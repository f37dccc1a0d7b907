"""How far earlier studies foretell this one, for strategies that use their trials directly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.spaces._space import Candidate
from tunesmith.strategies._gp.cube import cube_of
from tunesmith.strategies._gp.earlier import processes, trust
from tunesmith.strategies._gp.kernel import features
from tunesmith.study import EarlierStudy, State, StudyView, Trial

MOST_GOOD = 10
MOST_BAD = 50
# From so many trials of its own on, a study's earlier ones fade.
FULL_TRUST = 10
# What is hardly trusted is left out.
LEAST_TRUST = 0.02


@dataclass(frozen=True)
class Trusted:
    """An earlier study's trials, and what each weighs beside one of this study, 0 to 1."""

    trust: float
    good: Sequence[Trial]
    bad: Sequence[Trial]


def trusted(study: StudyView, losses: Mapping[int, float], gamma: float) -> list[Trusted]:
    """Return the earlier studies that foretell this one; `gamma`: the share of their trials that is good."""
    if not study.earlier:
        return []
    cube = cube_of(study.space, study.seed)
    ended = [trial for trial in study.trials if trial.number in losses]
    found = np.array([losses[trial.number] for trial in ended])
    seen = features(cube.encode(trial.candidate for trial in ended), cube.columns)
    left = min(FULL_TRUST / max(len(ended), 1), 1.0)
    trusts = [(earlier, left * trust(process, seen, found)) for earlier, process in processes(study, cube)]
    return [_split(earlier, weight, gamma) for earlier, weight in trusts if weight > LEAST_TRUST]


def _split(earlier: EarlierStudy, trust: float, gamma: float) -> Trusted:
    order = np.argsort(earlier.losses, kind="stable")
    good = min(int(np.ceil(gamma * len(order))), MOST_GOOD)
    best, rest = order[:good], order[good:]
    step = max(len(rest) // MOST_BAD, 1)
    return Trusted(trust, _trials(earlier.candidates, best), _trials(earlier.candidates, rest[::step]))


def _trials(candidates: Sequence[Candidate], places: np.ndarray) -> list[Trial]:
    return [Trial(-1, candidates[place], State.FINISHED) for place in places]
