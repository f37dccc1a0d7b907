"""Bayesian optimization with a Gaussian process and expected improvement (Jones et al., 1998) over any space.

The study becomes a matrix in the unit cube (_gp/cube.py), its objective is warped to a normal shape (_gp/warp.py), a process
is fitted to both (_gp/kernel.py, _gp/model.py), and the candidate with the greatest expected improvement is looked for
(_gp/acquire.py). Trials that still run count with what the process expects of them (Ginsbourger et al., 2010: kriging
believer), so that parallel proposals keep apart. Constraints have processes of their own.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from threadpoolctl import threadpool_limits

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import canonical
from tunesmith.strategies._gp.acquire import SPARING, Acquisition, Effort
from tunesmith.strategies._gp.cube import Column, Cube, cube_of
from tunesmith.strategies._gp.kernel import features
from tunesmith.strategies._gp.model import Kernel, Posterior, fit
from tunesmith.strategies._gp.observations import Observations, observe, thinned
from tunesmith.strategies._strategy import Strategy, draw_unseen, one_by_one
from tunesmith.study import Proposal, StudyView

# A kernel is fitted to no more trials than these.
MOST_FITTED = 200
# Priors from wary to bold: one most probable kernel is too sure of itself, the mean over several is not.
TEMPERS = (-0.7, 0.0, 0.7)


@dataclass(frozen=True)
class GP(Strategy):
    """Fits a Gaussian process to the past trials and proposes where it expects the greatest improvement.

    startup: quasi-random trials before the model is used; None: twice the number of parameters, 6 to 12.
    """

    startup: int | None = None

    def __post_init__(self) -> None:
        if self.startup is not None and self.startup < 1:
            raise SpecError(f"startup: got {self.startup}; needs a whole number from 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        # Matrices this small are slower on several threads, and far slower beside other work.
        with threadpool_limits(1):
            return one_by_one(study, count, self._draw)

    def _draw(self, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
        cube = cube_of(study.space, study.seed)
        seen = observe(study, cube)
        if seen.finite < (self.startup or min(max(2 * len(cube.columns), 6), 12)):
            return _spread(cube, study, rng)
        effort = Effort() if study.space.quick else SPARING
        ranked = _acquisition(cube, seen, study.seed).ranked(seen.units[seen.best_first()], rng, effort)
        return _first_untried(ranked, cube, study, rng)


def _spread(cube: Cube, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
    """Return the candidate of a scrambled Sobol sequence at the place of the next trial; any other where that was tried."""
    from scipy.stats import qmc

    rows = qmc.Sobol(len(cube.columns), rng=np.random.default_rng(study.seed)).random_base2(_bits(study.issued + 1))
    candidate = cube.candidate(cube.settle(rows[[study.issued]])[0], rng)
    tried = {trial.key for trial in study.trials}
    return study.space.sample(rng) if canonical(candidate) in tried else candidate


def _bits(count: int) -> int:
    return max(int(np.ceil(np.log2(count))), 1)


def _first_untried(ranked: np.ndarray, cube: Cube, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
    tried = {trial.key for trial in study.trials}
    for row in ranked:
        candidate = cube.candidate(row, rng)
        if canonical(candidate) not in tried:
            return candidate
    return draw_unseen(study, lambda view, stream: view.space.sample(stream))


def _acquisition(cube: Cube, seen: Observations, seed: int) -> Acquisition:
    bounds = [_believing(_fitted(cube, seen.units, excess, seed, (0.0,))[0], cube, seen, excess) for excess in seen.excesses]
    if not seen.kept.any():
        return Acquisition(cube, [], bounds)
    kernels = _fitted(cube, seen.units, seen.values, seed, TEMPERS)
    posteriors = [_believing(kernel, cube, seen, seen.values) for kernel in kernels]
    return Acquisition(cube, [(each, float(each.means[: len(seen.kept)][seen.kept].min())) for each in posteriors], bounds)


def _fitted(cube: Cube, units: np.ndarray, values: np.ndarray, seed: int, tempers: tuple[float, ...]) -> list[Kernel]:
    return _fitted_once(cube.columns, units.tobytes(), values.tobytes(), seed, tempers)


@lru_cache(maxsize=16)
def _fitted_once(
    columns: tuple[Column, ...], units: bytes, values: bytes, seed: int, tempers: tuple[float, ...]
) -> list[Kernel]:
    """Return the kernels of past trials, one a temper; parallel proposals share them."""
    levels = np.frombuffer(values)
    rows = np.frombuffer(units).reshape(len(levels), len(columns))
    kept = thinned(levels, MOST_FITTED)
    rng = np.random.default_rng([seed, len(levels)])
    return [fit(features(rows[kept], columns), levels[kept], rng, temper) for temper in tempers]


def _believing(kernel: Kernel, cube: Cube, seen: Observations, values: np.ndarray) -> Posterior:
    """Return the posterior that believes its own expectation of the running trials, though none below the best value."""
    past = features(seen.units, cube.columns)
    posterior = Posterior(kernel, past, values)
    if not len(seen.running):
        return posterior
    running = features(seen.running, cube.columns)
    expected = np.maximum(posterior.predict(running)[0], values.min())
    return Posterior(kernel, past.joined(running), np.concatenate([values, expected]))
