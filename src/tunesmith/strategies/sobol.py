"""Quasi-random search: a scrambled Sobol sequence (Sobol, 1967; Owen, 1998) through the quantiles of the priors.

It covers a space more evenly than independent draws, and learns nothing. A trial's place in the sequence is its number, so
that a search of any number of workers tries the same candidates. Each parameter has a dimension of its own, conditional ones
too, in the order in which they first come up; where a parameter is not active its dimension is ignored.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunesmith.spaces._capabilities import Parametric
from tunesmith.spaces._distributions import Value
from tunesmith.strategies._gp.cube import cube_of
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.study import Proposal, StudyView


@dataclass(frozen=True)
class Sobol(Strategy):
    """Tries the points of a sequence that covers the space evenly, whatever came of the earlier ones."""

    needs: ClassVar[tuple[type, ...]] = (Parametric,)

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        return one_by_one(study, count, _draw)


def _draw(study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
    """Return the point of the next trial, or a draw from the prior where it has been tried (spaces with few values)."""
    cube = cube_of(study.space, study.seed)
    candidate = cube.candidate(cube.settle(_point(len(cube.columns), study.seed, study.issued))[0], rng)
    return candidate if study.is_new(candidate) else study.space.sample(rng)


def _point(dimensions: int, seed: int, position: int) -> np.ndarray:
    """Return one point of the sequence as a 1 x d array."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
    return (sequence.fast_forward(position) if position else sequence).random(1)
