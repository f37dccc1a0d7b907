"""Progressive search (Liu et al., 2018, "Progressive neural architecture search", algorithm 1).

It begins with cells of one block. Of each larger size it tries those that a surrogate, which has learned from all smaller ones,
ranks first among all cells of one block more than the best so far. Where candidates have no sizes (spaces that are not
expandable), it ranks the neighbours of the best candidates instead, block after block, after some random ones.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import ClassVar

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean
from tunesmith.spaces._capabilities import Expandable, Parametric
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate
from tunesmith.strategies._edits.mutation import mutated
from tunesmith.strategies._progressive.memory import Memory, key_of
from tunesmith.strategies._progressive.pool import expansions, neighbours
from tunesmith.strategies._progressive.ranking import Ranking, best_of, interleaved
from tunesmith.strategies._progressive.stages import Stage, grows, levels_of, smallest_of, stage_of_levels, stage_of_rounds
from tunesmith.strategies._progressive.told import SURROGATES, Surrogate, Told, learned, told_of
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.strategies._surrogates.tokens import Tokenizer
from tunesmith.study import Proposal, StudyView

# From fewer trials nothing is learned.
LEAST = 4
# So many of a ranking are kept, and two for each trial that may be running.
KEPT = 128


@dataclass(frozen=True)
class PNAS(Strategy):
    """Ranks larger cells, or neighbours, of the best by an ensemble of surrogates.

    beam: candidates that are expanded; without a budget also how many of each size are tried. first: cells of one block that
    are tried, or random candidates. None: a share of the budget. block: trials after which the surrogate learns anew.
    surrogate: `mlp` or `recurrent`.
    """

    needs: ClassVar[tuple[type, ...]] = (Parametric,)

    # A ranking of all that twelve thousand cells could become takes four seconds, five trials long; Katib waits for a minute.
    patience: ClassVar[float] = 20.0

    beam: int = 32
    first: int | None = None
    block: int = 5
    surrogate: str = "mlp"

    def __post_init__(self) -> None:
        for name in ("beam", "first", "block"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SpecError(f"{name}: got {value}; needs a whole number from 1")
        if self.surrogate not in SURROGATES:
            hint = did_you_mean(self.surrogate, list(SURROGATES))
            raise SpecError(f"surrogate: got {self.surrogate!r}; allowed: {', '.join(SURROGATES)}{hint}")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        return one_by_one(study, count, self._draw)

    def expect(self, study: StudyView, candidates: Sequence[Candidate]) -> np.ndarray | None:
        told = told_of(study, study.issued, _tokenizer(study))
        return None if len(told.best) < LEAST else -learned(self.surrogate, told, study.seed).scores(candidates)

    def _draw(self, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
        # A list that lags behind lacks trials: they were given the best that is new, so this one comes after them.
        behind = study.issued - len(study.trials)
        for ranking in self._rankings(study):
            new = [candidate for candidate in ranking if study.is_new(candidate)]
            if len(new) > behind >= 0:
                return new[behind]
        return study.space.sample(rng)

    def _rankings(self, study: StudyView) -> Iterator[Ranking]:
        """Yield what is to be tried, the next ones for where all of it was tried."""
        space = study.space
        # A list that lags behind is ranked as it stood: the next proposals are the next of the same ranking.
        number = min(study.issued, len(study.trials))
        if not grows(space):
            stage = stage_of_rounds(number, self._first(study.budget, 1), self.block)
            yield from self._learned_rankings(study, stage, ())
            return
        levels = levels_of(space)
        smallest = self._smallest(study, space, levels)
        left = (study.budget or 0) - len(smallest)
        share = self.beam if study.budget is None else max(left // max(levels - 1, 1), 1)
        stage = stage_of_levels(number, len(smallest), share, levels, self.block)
        yield from self._learned_rankings(study, stage, range(stage.level, levels + 1))
        yield smallest

    def _first(self, budget: int | None, levels: int) -> int:
        return self.first or (12 if budget is None else min(max(budget // max(levels, 12), 8), 256))

    def _smallest(self, study: StudyView, space: Expandable, levels: int) -> Ranking:
        most = self._first(study.budget, levels)
        key = key_of("smallest", study.space.to_json(), study.seed, most)
        return _RANKINGS.recall(key, lambda: smallest_of(space, study, most))

    def _learned_rankings(self, study: StudyView, stage: Stage, levels: Iterable[int]) -> Iterator[Ranking]:
        """Yield what the surrogate ranks first: of each level, then of the neighbours of the best."""
        told = told_of(study, stage.start, _tokenizer(study))
        if len(told.best) < LEAST:
            return
        key = key_of(self, study.seed, study.space.to_json(), told.key)
        surrogate = _SURROGATES.recall(key, lambda: learned(self.surrogate, told, study.seed))
        for level in (*levels, 0):
            ranked = partial(self._ranked, study, stage, told, surrogate, level)
            yield _RANKINGS.recall(key_of(key, stage, level, study.parallel), ranked)

    def _ranked(self, study: StudyView, stage: Stage, told: Told, surrogate: Surrogate, level: int) -> Ranking:
        space, rng = study.space, np.random.default_rng([study.seed, stage.start])
        known = frozenset(study.identity(trial.candidate) for trial in told.trials)

        def best(pool: Iterator[dict[str, Value]]) -> Ranking:
            return best_of(pool, surrogate.scores, study.identity, known, KEPT + 2 * study.parallel)

        larger = expansions(space, told.best, level, self.beam, rng)
        if level and not stage.over:
            return best(larger)
        ranked = best(chain(larger, neighbours(space, told.best, self.beam, rng)))
        chance = [mutated(space, told.best[0].candidate, rng) for _ in range(self.block)]
        return interleaved(ranked, [each for each in chance if study.identity(each) not in known], study.identity)


def _tokenizer(study: StudyView) -> Tokenizer:
    return _TOKENIZERS.recall(key_of(study.space.to_json()), lambda: Tokenizer(study.space))


_TOKENIZERS: Memory[Tokenizer] = Memory(4)
_SURROGATES: Memory[Surrogate] = Memory(16)
_RANKINGS: Memory[Ranking] = Memory(64)
