"""Picks the strategy for a search by its space, its budget, how many trials run at a time, and its objectives.

The rules are those that the benchmark of docs/strategies.md supports. They look at the study alone, so that every host picks
alike; a search whose past outgrows a model goes on with another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from tunesmith.registry import build, discover
from tunesmith.spaces._capabilities import Morphable
from tunesmith.spaces._distributions import Distribution
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces.parameters import Branches, Parameters
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import Proposal, State, StudyView

# Beyond so many past trials a Gaussian process has seen enough, and a proposal of it takes seconds.
MOST_FOR_GP = 1500
# More trials at a time than these would wait for a process' proposals, made one after the other.
MOST_PARALLEL_FOR_GP = 32
# Stopped trials are short, and with many of them breadth finds more than a process' fine steps.
MOST_STOPPED_FOR_GP = 4
# The front of more objectives than these holds most candidates, and one figure for all of them tells little.
MOST_SCALARISED = 3


@dataclass(frozen=True)
class Auto(Strategy):
    """Picks the strategy that suits the search; the study's record says which and why."""

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        for _ in range(count):
            proposals += _made(_pick(study)[0]).propose(study, 1)
            study = study.with_running(proposals[-1].candidate)
        return proposals

    def expect(self, study: StudyView, candidates: Sequence[Candidate]) -> np.ndarray | None:
        return _made(_pick(study)[0]).expect(study, candidates)

    def models(self, study: StudyView) -> bool:
        return _made(_pick(study)[0]).models(study)

    def names_parents(self, space: Space) -> bool:
        return isinstance(space, Morphable)

    def describe(self, study: StudyView) -> str:
        return "{}: {}".format(*_pick(study))


@lru_cache(maxsize=16)
def _made(name: str) -> Strategy:
    return build("tunesmith.strategies", name, Strategy, {}, "strategy")


def _pick(study: StudyView) -> tuple[str, str]:
    """Return the name of a strategy and why it was picked."""
    if study.budget is not None and _is_within(study.space, study.budget):
        return "grid", f"the budget of {study.budget} trials is enough for every candidate of the space"
    if len(study.objectives) > MOST_SCALARISED and "nsga2" in discover("tunesmith.strategies"):
        return "nsga2", f"there are {len(study.objectives)} objectives, more than {MOST_SCALARISED}"
    if isinstance(study.space, Morphable):
        return "morphism", "networks grow by edits here, and go on with the weights of the one that they were edited from"
    if not study.space.quick:
        return "tpe", "the space is a program, which may be slow; this strategy runs it once a proposal"
    if len(study.trials) > MOST_FOR_GP:
        return "tpe", f"there are more than {MOST_FOR_GP} past trials; a Gaussian process would take long for a proposal"
    if study.parallel > MOST_PARALLEL_FOR_GP:
        return "tpe", f"{study.parallel} trials at a time want proposals fast"
    if sum(trial.state is State.STOPPED for trial in study.trials) > MOST_STOPPED_FOR_GP:
        return "tpe", "a scheduler stops trials early, so that many are tried; densities learn more from those"
    return "gp", f"for {_seen(study)} a Gaussian process is quick enough, and finds better candidates in fewer trials"


def _seen(study: StudyView) -> str:
    """Return in words what the choice rests on."""
    kind = type(study.space).__module__.rpartition(".")[2]
    count = _leaves(study.space.parameters) if isinstance(study.space, Parameters) else None
    size = f"a space of kind {kind}" if count is None else f"{count} parameter{'s' * (count != 1)}"
    budget = "no limit of trials" if study.budget is None else f"a budget of {study.budget} trials"
    return f"{size}, {budget} and {study.parallel} at a time"


def _leaves(tree: Mapping[str, Distribution | Branches]) -> int:
    """Return the number of parameters of a tree, those that only some options open included."""
    return sum(
        1 if isinstance(node, Distribution) else 1 + sum(_leaves(inner) for inner in node.inner.values())
        for node in tree.values()
    )


def _is_within(space: Space, most: int) -> bool:
    """Tell whether a space has at most so many candidates."""
    if isinstance(space, Parameters):
        return _count(space.parameters) <= most
    try:
        return space.quick and sum(1 for _ in islice(space.enumerate(), most + 1)) <= most
    except ValueError:
        return False


def _count(tree: Mapping[str, Distribution | Branches]) -> float:
    """Return the number of candidates of a tree of parameters, infinite where one is continuous."""
    count = 1.0
    for node in tree.values():
        count *= node.size if isinstance(node, Distribution) else sum(_count(inner) for inner in node.inner.values())
    return count
