"""What further trials are likely to bring: the tail of the later trials' order statistics, extrapolated.

The least losses of many trials follow a generalized Pareto distribution (Pickands 1975), whatever the losses' own
distribution; its end is the least loss there can be (de Haan 1981, "Estimation of the minimum of a function using order
statistics"). So the losses of the later half of the search, which are those of the strategy as it proposes now, give a
posterior of the tail's shape and scale; under it, the best of m further trials has a distribution, of which the mean, the
quantiles and the chance to be better than the best so far follow. That the earlier half found nothing better counts as well,
half as much: without it a few losses of the later half allow for tails that are far too long. Of trials that were stopped early
nobody knows the loss: they count as beyond the tail's threshold, and so only lower the share of trials that fall into it.

A strategy that still learns proposes better and better: where the best of each fifth of the later half fall for sure
(Theil-Sen's slope, the end of its interval nearer to 0), the fall goes on, and fades over as many trials as it was seen in.
"""

from dataclasses import dataclass

import numpy as np

from tunesmith.advice._evidence import Evidence

FEWEST_TRIALS = 10
# So many of them have to be finished where the others were stopped early.
FEWEST_FINISHED = 4
LATER, FEWEST_LATER = 2, 12
# The tail is the better third of the losses looked at.
TAIL, FEWEST_TAIL = 3, 5
INTERVAL = (0.1, 0.9)
# A gain is worth having from this share of the way on that the search has come since the median of its first trials.
WORTH = 0.02
FIRST, FEWEST_FIRST = 4, 10
FIFTHS, SURE = 5, 0.95
# A smooth function of d parameters that matter has the shape -2/d.
SHAPES = np.linspace(-1.0, 0.0, 21)
SHAPE_PRIOR = (-0.5, 0.3)
# What a trial of the earlier half counts, beside one of the later.
EARLIER = 0.5
SCALES = np.exp(np.linspace(-2.5, 2.5, 31))
GAINS = np.concatenate([[0.0], np.geomspace(1e-5, 10.0, 150)])
# Further trials are taken in so many groups, each with the fall of its middle.
GROUPS = 6


@dataclass(frozen=True)
class Forecast:
    """What `trials` further ones bring: the chance of a better one, and of a worthwhile gain; the gain, its 80 % interval."""

    trials: float
    chance: float
    worthwhile: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Gains:
    """The distribution of a gain: `within` are the probabilities that it is at most each of `levels`, which begin with 0."""

    levels: np.ndarray
    within: np.ndarray

    @property
    def mean(self) -> float:
        """The expected gain."""
        missing = 1.0 - self.within
        return float(np.sum((missing[1:] + missing[:-1]) / 2 * np.diff(self.levels)))

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """Return what is gained at most with such probabilities; of their shape."""
        return np.interp(shares, self.within, self.levels, left=0.0)


@dataclass(frozen=True)
class Tail:
    """The posterior of the losses' lower tail.

    `share` of the trials fall into it; the best so far is `reach` below its threshold. `unit` is the scale of gains, `way` the
    distance that the search has come. `fall`: how much lower the losses become with each trial at first, fading over `window`.
    """

    share: float
    reach: float
    unit: float
    way: float
    fall: float
    window: int
    shapes: np.ndarray
    scales: np.ndarray
    weights: np.ndarray

    def forecast(self, trials: float) -> Forecast:
        """Return what so many further trials bring; `trials` need not be whole."""
        gains = self.gains(trials)
        low, high = (float(level) for level in gains.quantiles(np.array(INTERVAL)))
        worth = float(1.0 - self._at_most(np.array([WORTH * self.way]), trials)[0])
        return Forecast(trials, float(1.0 - gains.within[0]), worth, gains.mean, low, high)

    def gains(self, trials: float) -> Gains:
        """Return the distribution of what so many further trials gain."""
        levels = (self.unit + self.fall * self.window) * GAINS
        return Gains(levels, self._at_most(levels, trials))

    def _at_most(self, gains: np.ndarray, trials: float) -> np.ndarray:
        """Return the probability that the best of so many trials gains at most so much."""
        none: float | np.ndarray = 1.0
        groups = GROUPS if self.fall else 1
        for group in range(groups):
            middle = (group + 0.5) / groups * trials
            fallen = self.fall * self.window * -np.expm1(-middle / self.window)
            beyond = _survival(np.maximum(self.reach - fallen + gains[:, None], 0.0), self.shapes, self.scales)
            none = none * (1.0 - self.share * beyond) ** (trials / groups)
        return none @ self.weights


def _survival(excess: np.ndarray, shapes: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the probability of a larger excess under generalized Pareto distributions of shape 0 or less."""
    flat = np.abs(shapes) < 1e-9
    shape = np.where(flat, -1.0, shapes)
    return np.where(flat, np.exp(-excess / scales), np.maximum(1.0 + shape * excess / scales, 0.0) ** (-1.0 / shape))


def fit_tail(evidence: Evidence) -> Tail | None:
    """Return the tail of a study's losses, None where too few trials tell it or the later ones do not differ."""
    finite = evidence.finite
    if too_few(evidence) or np.ptp(finite) == 0:
        return None
    scale = float(np.ptp(finite)) if np.isfinite(np.ptp(finite)) else float(np.abs(finite).max())
    later = evidence.losses[-_later(evidence) :] / scale
    fall = _fall(later)
    level = (later - fall * np.arange(len(later) - 1, -1, -1))[np.isfinite(later)]
    count = max(len(level) // TAIL, FEWEST_TAIL)
    if evidence.stopped:
        # The last one that finished is the threshold: what was stopped would have been beyond it.
        count = min(count, len(level) - 1)
    if len(level) <= count:
        return None
    ordered = np.sort(level)
    excesses = ordered[count] - ordered[:count]
    unit = float(np.mean(excesses))
    if unit <= 0:
        return None
    bounded = evidence.bounded / scale
    best, first = float(finite.min()) / scale, bounded[: max(len(bounded) // FIRST, FEWEST_FIRST)]
    reach, way = float(ordered[count]) - best, float(np.median(first)) - best
    share, missed = count / len(later), 0.0 if fall else EARLIER * (len(evidence.losses) - len(later))
    shapes, scales, weights = _posterior(excesses, unit, missed, share, reach)
    return Tail(
        share=share,
        reach=scale * reach,
        unit=3 * scale * unit,
        way=scale * way,
        fall=scale * fall,
        window=len(later),
        shapes=shapes,
        scales=scale * scales,
        weights=weights,
    )


def too_few(evidence: Evidence) -> bool:
    """Tell whether too few trials finished, those that were stopped early counted as well, for a forecast."""
    finished = len(evidence.finite)
    return finished + evidence.stopped < FEWEST_TRIALS or finished < FEWEST_FINISHED


def _later(evidence: Evidence) -> int:
    """Return how many of the last trials tell what the strategy proposes now: more where most of them were stopped."""
    count = max(len(evidence.losses) // LATER, FEWEST_LATER)
    if not evidence.stopped:
        return count
    ended = np.flatnonzero(np.isfinite(evidence.losses))
    return max(count, len(evidence.losses) - int(ended[-min(FEWEST_TAIL + 1, len(ended))]))


def _fall(losses: np.ndarray) -> float:
    """Return by how much the best losses fall with each trial, 0 where that is not sure."""
    from scipy.stats import theilslopes

    groups = np.array_split(losses, FIFTHS)
    best, places = [float(group.min()) for group in groups], np.linspace(0, len(losses), FIFTHS, endpoint=False)
    if not np.all(np.isfinite(best)):
        return 0.0
    _, _, _, highest = theilslopes(best, places, alpha=SURE)
    return max(-float(np.asarray(highest)), 0.0)


def _posterior(
    excesses: np.ndarray, unit: float, missed: float, share: float, reach: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a grid of shapes and scales, and the weight of each pair.

    missed: how many further trials, of which `share` would fall into the tail, have not reached beyond `reach`.
    """
    shapes, scales = (grid.ravel() for grid in np.meshgrid(SHAPES, unit * SCALES))
    flat = np.abs(shapes) < 1e-9
    shape = np.where(flat, -1.0, shapes)
    with np.errstate(divide="ignore", invalid="ignore"):
        bent = np.log(1.0 + shape * excesses[:, None] / scales).sum(axis=0)
        curved = np.where(np.isfinite(bent), -(1.0 + 1.0 / shape) * bent, -np.inf)
    logs = -len(excesses) * np.log(scales) + np.where(flat, -excesses.sum() / scales, curved)
    logs += missed * np.log1p(-share * _survival(np.array(reach), shapes, scales))
    logs -= 0.5 * ((shapes - SHAPE_PRIOR[0]) / SHAPE_PRIOR[1]) ** 2
    weights = np.exp(logs - logs.max())
    return shapes, scales, weights / weights.sum()
