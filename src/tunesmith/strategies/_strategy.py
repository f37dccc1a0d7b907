"""The strategy seam: a pure function of the study, so that any process may answer and a restart changes nothing."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunesmith.errors import SpaceExhausted, SpecError
from tunesmith.registry import discover, load
from tunesmith.spaces._capabilities import able, spaces_with
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.study import Proposal, StudyView

STRATEGIES = "tunesmith.strategies"
DRAWS = 16
MOST_DRAWS = 1000


@dataclass(frozen=True)
class Strategy(ABC):
    """Proposes candidates from past trials. A subclass is a frozen dataclass whose fields are its settings.

    `needs`: the capabilities (spaces/_capabilities.py) that a space must have. `patience`: seconds for a proposal after
    which a host that others wait for, too, draws at random instead.
    """

    needs: ClassVar[tuple[type, ...]] = ()
    patience: ClassVar[float] = 2.0

    @abstractmethod
    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        """Return exactly `count` proposals, none of them tried before; raises SpaceExhausted where there are too few left.

        The answer depends on the arguments alone: the same study gives the same proposals, in any process.
        """

    def describe(self, study: StudyView) -> str:
        """Return what the strategy does with this study and why, where its settings do not tell; '' otherwise."""
        del study
        return ""

    def expect(self, study: StudyView, candidates: Sequence[Candidate]) -> np.ndarray | None:
        """Return what the strategy's model, told of the study, expects of candidates, on any scale, less being better.

        None where it has no model, or has seen too little.
        """
        del study, candidates
        return None

    def models(self, study: StudyView) -> bool:
        """Tell whether what proposes for the study has a model, even if it has seen too little of it yet."""
        del study
        return type(self).expect is not Strategy.expect

    def names_parents(self, space: Space) -> bool:
        """Tell whether proposals may name the trial that they were edited from."""
        del space
        return False

    def reach(self, space: Space) -> Space:
        """Return the space of all candidates that the strategy may propose of `space`."""
        return space


def check_pair(strategy: Strategy, space: Space) -> None:
    """Raise SpecError, naming what would work, where a space lacks what the strategy needs."""
    missing = [need for need in strategy.needs if not isinstance(space, need)]
    if not missing:
        return
    name, kind = _name(type(strategy)), _name(type(space))
    spaces = spaces_with(*strategy.needs)
    strategies = [each for each in discover(STRATEGIES) if able(type(space), load(STRATEGIES, each, Strategy).needs)]
    raise SpecError(
        f"strategy.name: {name!r} needs a space that is {' and '.join(need.__name__.lower() for need in missing)}, "
        f"which {kind!r} is not; it works with space.kind: {', '.join(spaces)}; with {kind!r} work: {', '.join(strategies)}"
    )


def _name(implementation: type) -> str:
    return implementation.__module__.rpartition(".")[2]


def propose(strategy: Strategy, study: StudyView, count: int) -> list[Proposal]:
    """Return exactly `count` proposals: the candidates that are to be tried first, then the strategy's.

    Of `study.first` those are left out that do not fit the space (an earlier study had another) or that were tried already.
    Every host asks through this function, so that all answer alike. Raises SpaceExhausted.
    """
    proposals: list[Proposal] = []
    fitting = _fitting(study.first, study.space) if study.issued < len(study.first) else []
    while len(proposals) < count and study.issued < len(fitting):
        candidate = fitting[study.issued]
        proposals += [Proposal(candidate)] if study.is_new(candidate) else strategy.propose(study, 1)
        study = study.with_running(proposals[-1].candidate)
    return proposals + strategy.propose(study, count - len(proposals))


def _fitting(candidates: tuple[Candidate, ...], space: Space) -> list[Candidate]:
    fitting = []
    for candidate in candidates:
        try:
            space.realize(candidate)
        except SpecError:
            continue
        fitting.append(candidate)
    return fitting


Draw = Callable[[StudyView, np.random.Generator], dict[str, Value]]


def one_by_one(study: StudyView, count: int, draw: Draw, within: Space | None = None) -> list[Proposal]:
    """Propose `count` unseen candidates with `draw`, each knowing the earlier ones as running trials.

    within: the space that is exhausted when all of its candidates were tried; the study's where it is not given.
    """
    proposals: list[Proposal] = []
    for _ in range(count):
        proposal = Proposal(draw_unseen(study, draw, within))
        proposals.append(proposal)
        study = study.with_running(proposal.candidate)
    return proposals


def draw_unseen(study: StudyView, draw: Draw, within: Space | None = None) -> dict[str, Value]:
    """Return the first draw that no trial has tried; where draws keep repeating, any candidate that is left.

    That is a draw from the prior, and where those repeat, too, the first unseen candidate of a finite space: a strategy may
    well insist on a few of many. Raises SpaceExhausted where none is left, or none comes up: a space may be infinite
    by name and still have few values of any likelihood (a normal far narrower than its step).
    """
    space, rng = within or study.space, study.rng()
    for attempt in range(MOST_DRAWS):
        candidate = draw(study, rng) if attempt < DRAWS else space.sample(rng)
        if study.is_new(candidate):
            return candidate
        left = _first_unseen(space, study) if attempt == 2 * DRAWS else None
        if left is not None:
            return left
    raise SpaceExhausted(f"no untried candidate came up in {MOST_DRAWS} draws; widen the space")


def _first_unseen(space: Space, study: StudyView) -> dict[str, Value] | None:
    """Return an untried candidate of a finite space, None where the space is infinite; raises SpaceExhausted."""
    try:
        for candidate in space.enumerate():
            if study.is_new(candidate):
                return candidate
    except ValueError:
        return None
    raise SpaceExhausted(f"all {len(study.tried)} candidates of the space have been proposed")
