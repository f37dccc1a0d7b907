"""How much CPU a proposal takes after many trials in spaces of architectures, each measurement in a process of its own."""

import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from tunesmith.registry import build, load
from tunesmith.spaces._capabilities import SPACES as SPACE_KINDS, able
from tunesmith.spaces._space import Space, canonical
from tunesmith.spec import build_space
from tunesmith.strategies._strategy import STRATEGIES, Strategy
from tunesmith.study import Objective, State, StudyView, Trial

SPACES = ("cells_nasbench201", "cells_nasnet", "cells_pnas", "dag_enas", "graphs")
FURTHER = 5


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a proposal by a process that knows nothing yet (`cold`), and the mean of those that follow (`warm`)."""

    space: str
    strategy: str
    past: int
    cold: float
    warm: float


def measure(strategies: Sequence[str], past: Sequence[int]) -> Iterator[Cost]:
    """Yield one measurement for each space, each strategy that works there and number of past trials, one after the other."""
    for space in SPACES:
        for strategy in (each for each in strategies if _works(space, each)):
            for count in past:
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    yield pool.submit(_measured, space, strategy, count).result()


def _works(kind: str, name: str) -> bool:
    return able(load(SPACE_KINDS, kind, Space), load(STRATEGIES, name, Strategy).needs)


def _measured(kind: str, name: str, past: int) -> Cost:
    space = build_space({"kind": kind})
    strategy = build(STRATEGIES, name, Strategy, {}, "strategy")
    study, seconds = _study(space, past), []
    for _ in range(1 + FURTHER):
        started = time.process_time()
        (proposal,) = strategy.propose(study, 1)
        seconds.append(time.process_time() - started)
        study = _told(study, dict(proposal.candidate))
    return Cost(kind, name, past, seconds[0], float(np.mean(seconds[1:])))


def _study(space: Space, past: int) -> StudyView:
    """Return a study of so many random trials."""
    rng = np.random.default_rng(past)
    study = StudyView(space, Objective("loss"), budget=past + 100)
    trials = []
    for number in range(past):
        candidate = space.sample(rng)
        trials.append(Trial(number, candidate, State.FINISHED, {"loss": _loss(candidate)}))
    return StudyView(space, study.objective, tuple(trials), past, budget=study.budget)


def _told(study: StudyView, candidate: dict) -> StudyView:
    trial = Trial(study.issued, candidate, State.FINISHED, {"loss": _loss(candidate)})
    return StudyView(study.space, study.objective, (*study.trials, trial), study.issued + 1, budget=study.budget)


def _loss(candidate: dict) -> float:
    """Return what falls with how often an operation occurs, and some noise: there is something to be learned."""
    text = canonical(candidate)
    return -text.count("conv") + zlib.crc32(text.encode()) / 2**32
