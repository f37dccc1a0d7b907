"""Evolution of a normal distribution: CMA-ES (Hansen & Ostermeier, 2001), with margins for whole numbers and options.

The mathematics are the package cmaes' CatCMAwM (Hamano et al., 2025), which follows continuous, ordered and unordered
parameters at once. Its state is made anew for every proposal, from the history alone: the ended trials, by number, are the
generations that it is told of. What it had asked for a trial is found again by asking with the trial's own random numbers; a
trial that came from elsewhere (an earlier study, a generation that was cut otherwise) is told as its values. Parameters that
are not active cannot matter: they keep what was asked.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Parametric
from tunesmith.spaces._distributions import Value
from tunesmith.strategies._evolution import Evolution, Form
from tunesmith.strategies._gp.cube import cube_of
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.study import Proposal, StudyView

# Candidates that were tried already are asked for again so often, then drawn from the prior.
ASKS = 16


@dataclass(frozen=True)
class CMAES(Strategy):
    """Moves and shapes a normal distribution towards the best of each generation.

    population: trials in a generation; None: 4 + 3 ln(number of parameters). sigma: the first generation's spread, in shares
    of each parameter's range.
    """

    needs: ClassVar[tuple[type, ...]] = (Parametric,)

    population: int | None = None
    sigma: float = 0.2

    def __post_init__(self) -> None:
        if self.population is not None and self.population < 4:
            raise SpecError(f"population: got {self.population}; needs a whole number from 4")
        if not 0 < self.sigma <= 1:
            raise SpecError(f"sigma: got {self.sigma}; needs a number above 0, up to 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        return one_by_one(study, count, self._draw)

    def _draw(self, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
        cube = cube_of(study.space, study.seed)
        form = Form(cube.columns)
        if not form.varied:
            return study.space.sample(rng)
        evolution = Evolution(cube, form, self.population, self.sigma, study)
        state = evolution.latest()
        for attempt in range(ASKS):
            candidate = cube.candidate(evolution.asked(state, study.issued, attempt)[1], rng)
            if study.is_new(candidate):
                return candidate
        return study.space.sample(rng)
