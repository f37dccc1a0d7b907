"""Bayesian optimization with a Gaussian process and expected improvement (Jones et al., 1998) over any space.

The study becomes a matrix in the unit cube (_gp/cube.py), its objective is warped to a normal shape (_gp/warp.py), a process
is fitted to both (_gp/kernel.py, _gp/model.py), and the candidate with the greatest expected improvement is looked for
(_gp/acquire.py), away from where losses repeat (_gp/plateaus.py) and from the ends of ranges (_gp/interior.py). Trials that
still run count with what the process expects of them (Ginsbourger et al., 2010: kriging believer), so that parallel proposals
keep apart. Constraints have processes of their own, and so have earlier studies (_gp/earlier.py), beside which this study's is
fitted (_gp/joint.py) as long as they foretell its trials (_gp/guidance.py). Where a scheduler stops most trials, two of three
are drawn by densities instead (tpe.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Parametric
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate
from tunesmith.strategies._gp.acquire import SPARING, Acquisition, Effort
from tunesmith.strategies._gp.cube import Cube
from tunesmith.strategies._gp.earlier import Earlier
from tunesmith.strategies._gp.fitting import fitted
from tunesmith.strategies._gp.guidance import guides
from tunesmith.strategies._gp.interior import interior_of
from tunesmith.strategies._gp.joint import Joint
from tunesmith.strategies._gp.kernel import Features, features
from tunesmith.strategies._gp.model import Posterior
from tunesmith.strategies._gp.observations import Observations, observe
from tunesmith.strategies._gp.plateaus import Plateaus, reach_of
from tunesmith.strategies._gp.traits import trait_cube_of
from tunesmith.strategies._strategy import Strategy, draw_unseen, one_by_one
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Proposal, State, StudyView

# Priors from wary to bold: one most probable kernel is too sure of itself, the mean over several is not.
TEMPERS = (-0.7, 0.0, 0.7)
# Each further trial with exactly the best value asks for so much more than it, in deviations of the values: the best lies on a
# plateau, as where parameters are rounded or of no effect, and only somewhere else is there anything to gain.
MARGIN, MOST_MARGIN = 0.1, 2.0
# Where in the sequence the design of every second trial begins.
ASIDE = 32
# What draws the trials that are for breadth.
BROAD = TPE()


@dataclass(frozen=True)
class GP(Strategy):
    """Fits a Gaussian process to the past trials and proposes where it expects the greatest improvement.

    startup: quasi-random trials before the model is used; None: twice the number of parameters, 6 to 12.
    """

    needs: ClassVar[tuple[type, ...]] = (Parametric,)

    startup: int | None = None

    def __post_init__(self) -> None:
        if self.startup is not None and self.startup < 1:
            raise SpecError(f"startup: got {self.startup}; needs a whole number from 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        # Matrices this small are slower on several threads, and far slower beside other work.
        with threadpool_limits(1):
            return one_by_one(study, count, self._draw)

    def _draw(self, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
        cube = trait_cube_of(study.space, study.seed)
        seen = observe(study, cube)
        earlier = guides(study, cube, seen)
        if not earlier and seen.finite < self._design(cube):
            return _spread(cube, study, _place(study), rng)
        if not earlier and _is_for_breadth(seen, study):
            return dict(BROAD.propose(study, 1)[0].candidate)
        effort = Effort() if study.space.quick else SPARING
        ranked = _acquisition(cube, seen, study.seed, earlier).ranked(seen.units[seen.best_first()], rng, effort)
        return _first_untried(ranked, cube, study, rng)

    def expect(self, study: StudyView, candidates: Sequence[Candidate]) -> np.ndarray | None:
        with threadpool_limits(1):
            cube = trait_cube_of(study.space, study.seed)
            seen = observe(study, cube)
            if seen.finite < self._design(cube):
                return None
            asked = features(cube.encode(candidates), cube.columns)
            means = [each.predict(asked)[0] for each in _posteriors(cube, seen, study.seed, ())]
            return np.mean(means, axis=0)

    def _design(self, cube: Cube) -> int:
        """Return how many trials are to end before the model is used."""
        learned = {column.trait or column for column in cube.columns if not column.told}
        return self.startup or min(max(2 * len(learned), 6), 12)


def _is_for_breadth(seen: Observations, study: StudyView) -> bool:
    """Tell whether the next trial is drawn by densities, as two of three are where most trials are stopped.

    BOHB draws so (Falkner et al., 2018). What is stopped is cheap, so breadth pays, and the losses of short trials beside long
    ones mislead a process, whose fine steps around the best each run to their end. To densities a stopped trial is a bad one
    whatever it had come to.
    """
    stopped = sum(trial.state is State.STOPPED for trial in study.trials)
    return 2 * stopped > seen.finite and study.issued % 3 > 0


def _spread(cube: Cube, study: StudyView, place: int, rng: np.random.Generator) -> dict[str, Value]:
    """Return the candidate of a scrambled Sobol sequence at a place; any other where that was tried."""
    from scipy.stats import qmc

    free = sum(not column.trait for column in cube.columns)
    rows = qmc.Sobol(free, rng=np.random.default_rng(study.seed)).random_base2(_bits(place + 1))
    point = np.full((1, len(cube.columns)), np.nan)
    point[:, :free] = rows[place]
    candidate = cube.candidate(cube.settle(point)[0], rng)
    return candidate if study.is_new(candidate) else study.space.sample(rng)


def _place(study: StudyView) -> int:
    """Return the place in the sequence of the next trial.

    Where every second trial may be guided, the others are a sequence of their own: alternate points of one cover half the cube.
    """
    return study.issued // 2 + ASIDE * (study.issued % 2) if study.earlier else study.issued


def _bits(count: int) -> int:
    return max(int(np.ceil(np.log2(count))), 1)


def _first_untried(ranked: np.ndarray, cube: Cube, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
    """Return the most promising new candidate; of a list that lags, the next one for each trial that it lacks."""
    found: set[str] = set()
    for row in ranked:
        candidate = cube.candidate(row, rng)
        if not study.is_new(candidate):
            continue
        found.add(study.identity(candidate))
        if len(found) > study.issued - len(study.trials):
            return candidate
    return draw_unseen(study, lambda view, stream: view.space.sample(stream))


def _acquisition(cube: Cube, seen: Observations, seed: int, earlier: tuple[Earlier, ...]) -> Acquisition:
    plateaus = _plateaus(cube, seen)
    chances = plateaus, interior_of(cube.columns, plateaus.known.at(seen.best_first()), plateaus.reach)
    bounds = [_of_bound(cube, seen, bound, seed) for bound in range(len(seen.excesses))]
    if not seen.kept.any():
        return Acquisition(cube, [], bounds, chances)
    posteriors = _posteriors(cube, seen, seed, earlier)
    margin = min(MARGIN * seen.ties, MOST_MARGIN)
    targets = [float(each.means[: len(seen.kept)][seen.kept].min()) - margin for each in posteriors]
    return Acquisition(cube, list(zip(posteriors, targets, strict=True)), bounds, chances)


def _posteriors(cube: Cube, seen: Observations, seed: int, earlier: tuple[Earlier, ...]) -> list[Posterior | Joint]:
    return [
        _believing(partial(Joint, earlier, kernel, follows) if earlier else partial(Posterior, kernel), cube, seen, seen.values)
        for kernel, follows in fitted(cube.columns, seen.fitted.units, seen.fitted.values, seed, TEMPERS, earlier)
    ]


def _plateaus(cube: Cube, seen: Observations) -> Plateaus:
    past = features(seen.units, cube.columns)
    return Plateaus(past.joined(features(seen.running, cube.columns)), reach_of(past, seen.losses))


def _of_bound(cube: Cube, seen: Observations, bound: int, seed: int) -> Posterior | Joint:
    ((kernel, _),) = fitted(cube.columns, seen.fitted.units, seen.fitted.excesses[bound], seed, (0.0,))
    return _believing(partial(Posterior, kernel), cube, seen, seen.excesses[bound])


def _believing(
    process: Callable[[Features, np.ndarray], Posterior | Joint], cube: Cube, seen: Observations, values: np.ndarray
) -> Posterior | Joint:
    """Return the process that believes its own expectation of the running trials, though none below the best value."""
    past = features(seen.units, cube.columns)
    known = process(past, values)
    if not len(seen.running):
        return known
    running = features(seen.running, cube.columns)
    believed = np.maximum(known.predict(running)[0], values.min())
    return process(past.joined(running), np.concatenate([values, believed]))
