"""Random search: independent draws from the prior (Bergstra & Bengio, 2012)."""

from dataclasses import dataclass

from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.study import Proposal, StudyView


@dataclass(frozen=True)
class Random(Strategy):
    """Draws every candidate from the space's distributions, whatever came of the earlier ones."""

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        return one_by_one(study, count, lambda view, rng: view.space.sample(rng))
