"""Bayesian optimization over edits (Jin, Song & Hu, 2019: Auto-Keras; Kandasamy et al., 2018: NASBOT).

A Gaussian process knows candidates by their edit distance alone; where it expects most is searched by simulated annealing over
edits of the best trials (Jin et al., 2019, algorithm 1). The proposal names the trial that its edits began with, so that a
network can go on with its weights.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Measurable, Morphable
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._edits.neighbours import Distances, edit
from tunesmith.strategies._edits.process import EditProcess
from tunesmith.strategies._gp.improvement import log_improvement
from tunesmith.strategies._gp.warp import warp
from tunesmith.strategies._strategy import Strategy, draw_unseen
from tunesmith.study import Proposal, StudyView, Trial

# Candidates that the annealing looks at for one proposal, and edits of one of them at a time.
LOOKS = 240
EDITS = 8
# Of graphs, whose distances take 0.1 ms each, fewer are looked at, and held against fewer trials.
GRAPHS = 0.4
ATTEMPTS = 16
# Its temperature at first, in units of the logarithm of the expected improvement, and what is left of it after each step.
WARMTH, COOLING = 1.0, 0.85
# The process is told of the best trials and of the latest ones, so many of either.
BEST, LATEST = 100, 60
# Draws from the prior among what is looked at, where the space has one to speak of.
STRAYS = 40


@dataclass(frozen=True, order=True)
class Edited:
    """A candidate, the trial from which edits lead to it, and what is expected of it: less is better, as heaps want it."""

    cost: float
    order: int
    candidate: Candidate = field(compare=False)
    parent: int | None = field(compare=False)


@dataclass(frozen=True)
class Morphism(Strategy):
    """Proposes the most promising candidate a few edits away from one of the best trials.

    startup: trials before the process is used: edits of the space's first candidate where it has one, else random ones.
    parents: the best trials that edits begin with; of five the local engine keeps the networks.
    """

    startup: int = 8
    parents: int = 5

    def __post_init__(self) -> None:
        for name in ("startup", "parents"):
            if getattr(self, name) < 1:
                raise SpecError(f"{name}: got {getattr(self, name)}; needs a whole number from 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        for _ in range(count):
            proposals.append(self._proposal(study))
            study = study.with_running(proposals[-1].candidate)
        return proposals

    def names_parents(self, space: Space) -> bool:
        del space
        return True

    def expect(self, study: StudyView, candidates: Sequence[Candidate]) -> np.ndarray | None:
        ranked = _ranked(study)
        if len(ranked) < self.startup:
            return None
        annealing = _Annealing(study, ranked, study.rng())
        return annealing.process.predict(annealing.distances.to(candidates))[0]

    def _proposal(self, study: StudyView) -> Proposal:
        rng, ranked = study.rng(), _ranked(study)
        if study.issued < self.startup or len(ranked) < 2:
            found = _first(study, ranked, rng)
        else:
            found = _Annealing(study, ranked, rng).best(self.parents)
        if found and study.is_new(found.candidate):
            return Proposal(found.candidate, found.parent)
        return Proposal(draw_unseen(study, lambda view, stream: _strayed(view.space, ranked, stream)))


def _ranked(study: StudyView) -> list[Trial]:
    """Return the trials with a merit that fit the space, the best first."""
    trials = {trial.number: trial for trial in study.trials}
    merits = study.merits()
    return [trials[number] for number in sorted(merits, key=lambda number: (merits[number], number))]


def _first(study: StudyView, ranked: Sequence[Trial], rng: np.random.Generator) -> Edited | None:
    """Return a candidate before anything is known: the space's own first one and edits of it, or a draw."""
    if not isinstance(study.space, Morphable):
        return Edited(0.0, 0, study.space.sample(rng), None)
    origin = study.space.origin()
    if study.is_new(origin):
        return Edited(0.0, 0, origin, None)
    for _ in range(ATTEMPTS):
        start = ranked[int(rng.integers(len(ranked)))] if ranked else None
        edited = edit(study.space, start.candidate if start else origin, rng)
        if edited and study.is_new(edited):
            return Edited(0.0, 0, edited, start.number if start else None)
    return None


def _strayed(space: Space, ranked: Sequence[Trial], rng: np.random.Generator) -> dict[str, Value]:
    """Return a few edits of any trial, or a draw where there is none."""
    if not ranked:
        return space.sample(rng)
    candidate: dict[str, Value] = dict(ranked[int(rng.integers(len(ranked)))].candidate)
    for _ in range(1 + int(rng.integers(3))):
        candidate = edit(space, candidate, rng) or candidate
    return candidate


class _Annealing:
    """Searches what the process expects most of."""

    def __init__(self, study: StudyView, ranked: Sequence[Trial], rng: np.random.Generator) -> None:
        self.study, self.ranked, self.rng = study, ranked, rng
        share = GRAPHS if isinstance(study.space, Measurable) else 1.0
        best, self.most = int(share * BEST), int(share * LOOKS)
        latest = sorted(ranked[best:], key=lambda trial: trial.number)[-int(share * LATEST) :]
        told = [*ranked[:best], *latest]
        merits = study.merits()
        values = warp(np.array([merits[trial.number] for trial in told]))
        running = [trial.candidate for trial in study.trials if not trial.done][-LATEST:]
        self.distances = Distances(study.space, [*(trial.candidate for trial in told), *running])
        apart = self.distances.to(self.distances.told)
        count = len(told)
        process = EditProcess.fitted(apart[:count, :count], values)
        if running:
            believed = process.predict(apart[count:, :count])[0]
            values = np.concatenate([values, believed])
            process = process.with_points(apart, values)
        self.process = process
        self.least = float(process.predict(apart)[0].min())
        self.seen: set[str] = set()
        self.looks = 0

    def best(self, parents: int) -> Edited | None:
        """Return the new candidate of the greatest expected improvement that comes up; None where none does."""
        queue = self._judged([(trial.candidate, trial.number) for trial in self.ranked[:parents]])
        fresh = self._strays()
        found = list(fresh)
        queue += fresh
        heapq.heapify(queue)
        warmth = WARMTH
        while queue and self.looks < self.most:
            current = heapq.heappop(queue)
            edits = (edit(self.study.space, current.candidate, self.rng) for _ in range(EDITS))
            for edited in self._judged([(each, current.parent) for each in edits if each]):
                found.append(edited)
                worse = max(edited.cost - current.cost, 0.0)
                if math.exp(-worse / warmth) > self.rng.random():
                    heapq.heappush(queue, edited)
            self.looks += EDITS
            warmth *= COOLING
        return min((each for each in found if self.study.is_new(each.candidate)), default=None)

    def _strays(self) -> list[Edited]:
        if isinstance(self.study.space, Morphable):
            return []
        return self._judged([(self.study.space.sample(self.rng), None) for _ in range(STRAYS)])

    def _judged(self, candidates: Sequence[tuple[Candidate, int | None]]) -> list[Edited]:
        """Return the candidates that were not looked at before, with what is expected of them."""
        new = []
        for candidate, parent in candidates:
            identity = self.study.identity(candidate)
            if identity not in self.seen:
                self.seen.add(identity)
                new.append((candidate, parent))
        if not new:
            return []
        mean, deviation = self.process.predict(self.distances.to([candidate for candidate, _ in new]))
        costs = -log_improvement(self.least, mean, deviation)
        start = len(self.seen)
        return [
            Edited(float(cost), start + place, candidate, parent)
            for place, (cost, (candidate, parent)) in enumerate(zip(costs, new, strict=True))
        ]
