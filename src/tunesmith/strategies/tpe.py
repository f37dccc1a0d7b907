"""Tree-structured Parzen estimator (Bergstra et al., 2011), multivariate, on any define-by-run space.

Notation, for one proposal:
    u        a parameter's value in the unit interval, by its prior's cdf
    good     the trials below the gamma-quantile of the losses; bad: all others, failed and running ones among them
    l, g     densities of good and bad trials: mixtures of one product kernel a trial, and the prior as one more component

The candidate is decided parameter by parameter, in the space's own order. For each, values are drawn from l given what was
decided so far (a component counts by how well it fits the decided values), and the one with the largest l/g is kept. So
dependencies between parameters are followed as in the multivariate estimator (Falkner et al., 2018), conditional parameters
need no imputation, and a proposal calls `define` only once, which may be a user's function building a model.

Trials of earlier studies are components as well, good or bad in their own study, weighed by how well it foretells this one
(_earlier.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Parametric
from tunesmith.spaces._distributions import Choice, Distribution, Value
from tunesmith.strategies._earlier import trusted
from tunesmith.strategies._strategy import Strategy, one_by_one
from tunesmith.strategies._units import units_of
from tunesmith.study import Proposal, State, StudyView, Trial

MOST_GOOD = 25
FULL_WEIGHT = 25
# Where earlier studies tell what is good, so many random trials are enough.
STARTUP_AFTER_OTHERS = 8


@dataclass(frozen=True)
class TPE(Strategy):
    """Draws where good trials are dense and bad ones are rare.

    startup: random trials before the model is used. gamma: share of the trials that count as good. draws: values compared
    for each parameter.
    """

    needs: ClassVar[tuple[type, ...]] = (Parametric,)

    startup: int = 10
    gamma: float = 0.1
    draws: int = 8

    def __post_init__(self) -> None:
        if self.startup < 1:
            raise SpecError(f"startup: got {self.startup}; needs a whole number from 1")
        if not 0 < self.gamma < 1:
            raise SpecError(f"gamma: got {self.gamma}; needs a number between 0 and 1")
        if self.draws < 1:
            raise SpecError(f"draws: got {self.draws}; needs a whole number from 1")

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        return one_by_one(study, count, self._draw)

    def _draw(self, study: StudyView, rng: np.random.Generator) -> dict[str, Value]:
        losses = study.merits()
        earlier = trusted(study, losses, self.gamma)
        if len(losses) < (STARTUP_AFTER_OTHERS if earlier else self.startup):
            return study.space.sample(rng)
        good, bad = self._split(study, losses)
        best = _Density(good, [(each.trust, each.good) for each in earlier])
        others = _Density(bad, [(each.trust, each.bad) for each in earlier])
        return study.space.choose(_Walk(best, others, self.draws, rng).pick)

    def _split(self, study: StudyView, losses: dict[int, float]) -> tuple[list[Trial], list[Trial]]:
        """Return good and bad trials, both by number; stopped trials never count as good."""
        finished = {trial.number for trial in study.trials if trial.state is State.FINISHED}
        ranked = sorted((number for number in losses if number in finished), key=lambda number: (losses[number], number))
        best = set(ranked[: min(int(np.ceil(self.gamma * len(ranked))), MOST_GOOD)])
        ordered = sorted(study.trials, key=lambda trial: trial.number)
        return [t for t in ordered if t.number in best], [t for t in ordered if t.number not in best]


class _Density:
    """A mixture of one kernel per trial and the prior; remembers how well each component fits what was decided so far."""

    def __init__(self, trials: list[Trial], earlier: Sequence[tuple[float, Sequence[Trial]]]) -> None:
        """earlier: trials of other studies, and what each of them weighs."""
        weights = [np.full(len(others), trust) for trust, others in earlier]
        self.trials = [*(trial for _, others in earlier for trial in others), *trials]
        self.log_weights = np.log(np.concatenate([*weights, _recency(len(trials)), [1.0]]))
        self.dimensions = float(np.median([len(trial.candidate) for trial in trials])) if trials else 1.0

    def kernels(self, name: str, distribution: Distribution) -> "_Kernels":
        units = units_of(self.trials, name, distribution)
        known = np.flatnonzero(~np.isnan(units))
        return _Kernels(known, units[known], len(self.trials) + 1, distribution, self.dimensions)

    def decide(self, log_fit: np.ndarray) -> None:
        """Weigh every component by how well it fits the decided value."""
        self.log_weights = self.log_weights + log_fit


def _recency(count: int) -> np.ndarray:
    """Older trials fade once there are many, as in Hyperopt: full weight for the newest, a linear ramp before."""
    ramp = np.linspace(1.0 / max(count, 1), 1.0, num=max(count - FULL_WEIGHT, 0))
    return np.append(ramp, np.ones(min(count, FULL_WEIGHT)))


class _Kernels:
    """The kernels of one parameter: truncated normals on the unit interval, or smoothed points on options."""

    def __init__(self, known: np.ndarray, units: np.ndarray, size: int, distribution: Distribution, dimensions: float) -> None:
        self.known, self.units, self.size = known, units, size
        self.options = len(distribution.options) if isinstance(distribution, Choice) else 0
        width = 0.2 * max(len(units), 1) ** (-1.0 / (dimensions + 4.0))
        self.width = max(width, 1.0 / min(100.0, 1.0 + len(units)) * 0.5)
        low, high = ndtr((0.0 - units) / self.width), ndtr((1.0 - units) / self.width)
        self.low, self.high = low, high

    def draw(self, component: int, rng: np.random.Generator) -> float:
        """Draw from one component; one that lacks the parameter draws from the prior."""
        place = np.searchsorted(self.known, component)
        if place == len(self.known) or self.known[place] != component:
            return float(rng.random())
        if self.options:
            return float(self.units[place]) if rng.random() > self._smoothing() else float(rng.random())
        level = self.low[place] + rng.random() * (self.high[place] - self.low[place])
        return float(np.clip(self.units[place] + self.width * ndtri(level), 0.0, 1.0))

    def log_density(self, units: np.ndarray) -> np.ndarray:
        """Return log densities, relative to the prior, of shape (values, components)."""
        result = np.zeros((len(units), self.size))
        if not len(self.known):
            return result
        if self.options:
            same = np.floor(units[:, None] * self.options) == np.floor(self.units[None, :] * self.options)
            smooth = self._smoothing()
            result[:, self.known] = np.log(np.where(same, (1 - smooth) * self.options + smooth, smooth))
            return result
        distance = (units[:, None] - self.units[None, :]) / self.width
        mass = np.log(self.high - self.low)
        result[:, self.known] = -0.5 * distance**2 - np.log(self.width * np.sqrt(2 * np.pi)) - mass
        return result

    def _smoothing(self) -> float:
        """The share of a point's weight that is spread over all options, less of it the more trials there are."""
        return self.options / (self.options + len(self.units))


class _Walk:
    """Decides one candidate, parameter by parameter."""

    def __init__(self, good: _Density, bad: _Density, draws: int, rng: np.random.Generator) -> None:
        self.good, self.bad, self.draws, self.rng = good, bad, draws, rng

    def pick(self, name: str, distribution: Distribution) -> Value:
        good, bad = self.good.kernels(name, distribution), self.bad.kernels(name, distribution)
        weights = np.exp(self.good.log_weights - self.good.log_weights.max())
        components = self.rng.choice(len(weights), size=self.draws, p=weights / weights.sum())
        values = [distribution.quantile(good.draw(component, self.rng)) for component in components]
        units = distribution.cdf(values)
        fit_good, fit_bad = good.log_density(units), bad.log_density(units)
        gain = _log_sums(fit_good + self.good.log_weights) - _log_sums(fit_bad + self.bad.log_weights)
        best = int(np.argmax(gain))
        self.good.decide(fit_good[best])
        self.bad.decide(fit_bad[best])
        return values[best]


def _log_sums(terms: np.ndarray) -> np.ndarray:
    """Return the logarithms of each row's sum of exponentials."""
    largest = terms.max(axis=1)
    return largest + np.log(np.exp(terms - largest[:, None]).sum(axis=1))
