"""Bayesian optimization with a Gaussian process and expected improvement (Jones et al., 1998) over any space.

The study becomes a matrix in the unit cube (_gp/cube.py), its objective is warped to a normal shape (_gp/warp.py), a process
is fitted to both (_gp/kernel.py, _gp/model.py), and the candidate with the greatest expected improvement is looked for
(_gp/acquire.py). Trials that still run count with what the process expects of them (Ginsbourger et al., 2010: kriging
believer), so that parallel proposals keep apart.
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
from tunesmith.strategies._gp.warp import warp
from tunesmith.strategies._strategy import Strategy, draw_unseen, one_by_one
from tunesmith.study import Proposal, State, StudyView, Trial

# More trials than these are thinned: a process' cost grows with their cube.
MOST_FITTED = 200
MOST_SEEN = 700
# Priors of three tempers, from wary to bold: one most probable kernel is too sure of itself, the mean over several is not.
SHIFTS = (-0.7, 0.0, 0.7)


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
        past = _past(study)
        if sum(np.isfinite(loss) for _, loss in past) < self._first_trials(cube):
            return _spread(cube, study, rng)
        return _most_promising(cube, study, past, rng)

    def _first_trials(self, cube: Cube) -> int:
        return self.startup or min(max(2 * len(cube.columns), 6), 12)


def _past(study: StudyView) -> list[tuple[Trial, float]]:
    """Return the ended trials by number with their losses, NaN for those that failed."""
    losses = study.losses()
    ended = [trial for trial in study.trials if trial.state is not State.RUNNING]
    return [(trial, losses.get(trial.number, np.nan)) for trial in sorted(ended, key=lambda trial: trial.number)]


def _spread(cube: Cube, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
    """Return the candidate of a scrambled Sobol sequence at the place of the next trial; any other where that was tried."""
    from scipy.stats import qmc

    rows = qmc.Sobol(len(cube.columns), rng=np.random.default_rng(study.seed)).random_base2(_bits(study.issued + 1))
    candidate = cube.candidate(cube.settle(rows[[study.issued]])[0], rng)
    tried = {trial.key for trial in study.trials}
    return study.space.sample(rng) if canonical(candidate) in tried else candidate


def _bits(count: int) -> int:
    return max(int(np.ceil(np.log2(count))), 1)


def _most_promising(
    cube: Cube, study: StudyView, past: list[tuple[Trial, float]], rng: np.random.Generator
) -> dict[str, Value]:
    kept = _thinned(np.array([loss for _, loss in past]), MOST_SEEN)
    units = cube.encode(past[i][0].candidate for i in kept)
    values = _values(np.array([past[i][1] for i in kept]))
    kernels = _fitted(cube.columns, units.tobytes(), values.tobytes(), study.seed)
    posteriors = [_believing(kernel, cube, units, values, study) for kernel in kernels]
    effort = Effort() if study.space.quick else SPARING
    ranked = Acquisition(cube, posteriors).ranked(units[np.argsort(values, kind="stable")], rng, effort)
    tried = {trial.key for trial in study.trials}
    for row in ranked:
        candidate = cube.candidate(row, rng)
        if canonical(candidate) not in tried:
            return candidate
    return draw_unseen(study, lambda view, stream: view.space.sample(stream))


def _thinned(losses: np.ndarray, most: int) -> np.ndarray:
    """Return positions, in order: all, or the best, the latest and some of the rest, a third each."""
    if len(losses) <= most:
        return np.arange(len(losses))
    best = np.argsort(np.where(np.isnan(losses), np.inf, losses), kind="stable")[: most // 3]
    latest = np.arange(len(losses) - most // 3, len(losses))
    chosen = np.union1d(best, latest)
    rest = np.setdiff1d(np.arange(len(losses)), chosen)
    others = np.random.default_rng(len(losses)).choice(rest, size=most - len(chosen), replace=False)
    return np.sort(np.concatenate([chosen, others]))


def _values(losses: np.ndarray) -> np.ndarray:
    """Return warped losses; what failed counts like the worst."""
    values = np.empty_like(losses)
    finite = np.isfinite(losses)
    values[finite] = warp(losses[finite])
    values[~finite] = values[finite].max()
    return values


@lru_cache(maxsize=8)
def _fitted(columns: tuple[Column, ...], units: bytes, values: bytes, seed: int) -> list[Kernel]:
    """Return the kernels of past trials; parallel proposals share one."""
    levels = np.frombuffer(values)
    rows = np.frombuffer(units).reshape(len(levels), len(columns))
    kept = _thinned(levels, MOST_FITTED)
    rng = np.random.default_rng([seed, len(levels)])
    return [fit(features(rows[kept], columns), levels[kept], rng, shift) for shift in SHIFTS]


def _believing(kernel: Kernel, cube: Cube, units: np.ndarray, values: np.ndarray, study: StudyView) -> tuple[Posterior, float]:
    """Return the posterior that believes its own expectation of the running trials, and the best expected past value."""
    seen = features(units, cube.columns)
    posterior = Posterior(kernel, seen, values)
    best = float(posterior.means.min())
    ordered = sorted(study.trials, key=lambda trial: trial.number)
    running = [trial.candidate for trial in ordered if trial.state is State.RUNNING]
    if not running:
        return posterior, best
    asked = features(cube.encode(running), cube.columns)
    expected = np.maximum(posterior.predict(asked)[0], values.min())
    return Posterior(kernel, seen.joined(asked), np.concatenate([values, expected])), best
