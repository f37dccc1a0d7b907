"""Bayesian optimization with a Gaussian process and expected improvement (Jones et al., 1998) over any space.

The study becomes a matrix in the unit cube (_gp/cube.py), its objective is warped to a normal shape (_gp/warp.py), a process
is fitted to both (_gp/kernel.py, _gp/model.py), and the candidate with the greatest expected improvement is looked for
(_gp/acquire.py). Trials that still run count with what the process expects of them (Ginsbourger et al., 2010: kriging
believer), so that parallel proposals keep apart. Constraints have processes of their own, and so have earlier studies
(_gp/earlier.py), whose expectations this study's process starts from.
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
from tunesmith.strategies._gp.earlier import Earlier, Expectation, Shifted, expectation, known_of
from tunesmith.strategies._gp.kernel import features
from tunesmith.strategies._gp.model import Kernel, Posterior, fit
from tunesmith.strategies._gp.observations import Observations, observe, thinned
from tunesmith.strategies._gp.warp import warp
from tunesmith.strategies._strategy import Strategy, draw_unseen, one_by_one
from tunesmith.study import Proposal, StudyView

# A kernel is fitted to no more trials than these.
MOST_FITTED = 200
# Priors from wary to bold: one most probable kernel is too sure of itself, the mean over several is not.
TEMPERS = (-0.7, 0.0, 0.7)
# Where earlier studies tell what to expect, so many trials show how far.
STARTUP_AFTER_OTHERS = 3


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
        studies = _earlier(cube, study)
        if seen.finite < (STARTUP_AFTER_OTHERS if studies else self.startup or min(max(2 * len(cube.columns), 6), 12)):
            return _spread(cube, study, rng)
        effort = Effort() if study.space.quick else SPARING
        ranked = _acquisition(cube, seen, study.seed, studies).ranked(seen.units[seen.best_first()], rng, effort)
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


def _acquisition(cube: Cube, seen: Observations, seed: int, studies: list[Earlier]) -> Acquisition:
    bounds = [_believing(_fitted(cube, seen.units, excess, seed, (0.0,))[0], cube, seen, excess) for excess in seen.excesses]
    if not seen.kept.any():
        return Acquisition(cube, [], bounds)
    expected = Expectation()
    if studies:
        kernel = _fitted(cube, seen.units, seen.values, seed, (0.0,))[0]
        expected = expectation(studies, kernel, features(seen.units, cube.columns), seen.values)
    left = seen.values - expected.of(features(seen.units, cube.columns))
    kernels = _fitted(cube, seen.units, left, seed, TEMPERS)
    posteriors = [_believing(kernel, cube, seen, seen.values, expected) for kernel in kernels]
    return Acquisition(cube, [(each, float(each.means[: len(seen.kept)][seen.kept].min())) for each in posteriors], bounds)


def _earlier(cube: Cube, study: StudyView) -> list[Earlier]:
    """Return the processes of the earlier studies that have something to tell."""
    told = [(cube.encode(each.candidates), warp(np.array(each.losses))) for each in study.earlier if each.losses]
    return [
        _earlier_once(cube.columns, units.tobytes(), values.tobytes(), study.seed)
        for units, values in told
        if np.isfinite(units).any() and values.any()
    ]


@lru_cache(maxsize=16)
def _earlier_once(columns: tuple[Column, ...], units: bytes, values: bytes, seed: int) -> Earlier:
    levels = np.frombuffer(values)
    rows = np.frombuffer(units).reshape(len(levels), len(columns))
    (kernel,) = _fitted_once(columns, units, values, seed, (0.0,))
    return Earlier(known_of(rows, columns), Posterior(kernel, features(rows, columns), levels))


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


def _believing(
    kernel: Kernel, cube: Cube, seen: Observations, values: np.ndarray, expected: Expectation | None = None
) -> Shifted:
    """Return the process that believes its own expectation of the running trials, though none below the best value."""
    expected = expected or Expectation()
    past = features(seen.units, cube.columns)
    process = Shifted(Posterior(kernel, past, values - expected.of(past)), expected)
    if not len(seen.running):
        return process
    running = features(seen.running, cube.columns)
    believed = np.maximum(process.predict(running)[0], values.min())
    known = past.joined(running)
    return Shifted(Posterior(kernel, known, np.concatenate([values, believed]) - expected.of(known)), expected)
