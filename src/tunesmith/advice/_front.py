"""What further trials are likely to bring to the front of several objectives: the growth of its hypervolume.

The hypervolume is a mean over directions (Golovin & Zhang, "Random Hypervolume Scalarizations for Provable Multi-Objective
Black Box Optimization", 2020, section 3): in each, the best trial is the one that reaches farthest from the worst values in
all objectives at once, and so each direction has a tail of its own (`_gain.py`). Their gains are averaged. Neighbouring
directions share their luck, distant ones do not: two thirds as many are taken to have luck of their own as the front has
members, by which intervals held best in `benchmarks/advice.py`.

That a trial widens the front is as probable as for random trials of a front as large as would explain how many of the later
ones did.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.advice._evidence import LARGEST, Evidence
from tunesmith.advice._gain import INTERVAL, LATER, WORTH, Forecast, Gains, Tail, fit_tail
from tunesmith.aims import Aims
from tunesmith.pareto import Losses, fronts, to_box

DIRECTIONS = 32
# The gain of all directions is drawn so many times from the quantiles of single ones.
DRAWS = 500
LEVELS = np.linspace(0.0, 1.0, 201)
# Of the front's members that share have luck of their own; beyond so many of them the gain is as good as certain.
SHARE_APART, MOST_APART = 2 / 3, 16


@dataclass(frozen=True)
class FrontTail:
    """The posterior of the hypervolume's growth, in shares of the box between the best and the worst values so far.

    tails: of some of the directions; the others bring nothing more. scale: by which a sum over them is the volume.
    trials: how many there are. apart: how many directions have luck of their own. size: of the front of random trials to which
    the later ones would be alike.
    """

    tails: tuple[Tail, ...]
    scale: float
    trials: int
    apart: int
    size: float

    @property
    def way(self) -> float:
        """The volume that the search has won since the median of its first trials."""
        return self.scale * sum(tail.way for tail in self.tails)

    def forecast(self, trials: float) -> Forecast:
        """Return what so many further trials bring; `trials` need not be whole."""
        found = [tail.gains(trials) for tail in self.tails]
        drawn = self._drawn(found)
        low, high = (float(level) for level in np.quantile(drawn, INTERVAL))
        worthwhile = float(np.mean(drawn >= WORTH * self.way))
        gain = self.scale * sum(each.mean for each in found)
        return Forecast(trials, 1.0 - (self.trials / (self.trials + trials)) ** self.size, worthwhile, gain, low, high)

    def _drawn(self, found: Sequence[Gains]) -> np.ndarray:
        """Return draws of the gain: means over what would be gained if all directions shared the luck of one."""
        shared = self.scale * np.sum([each.quantiles(LEVELS) for each in found], axis=0)
        luck = np.random.default_rng(0).random((DRAWS, self.apart))
        return np.interp(luck, LEVELS, shared).mean(axis=1)


def fit_front(evidence: Evidence, aims: Aims) -> FrontTail | None:
    """Return the tail of a study's front, None where too few trials tell it or the later ones do not differ."""
    counts = np.isfinite(evidence.losses)
    if not counts.any():
        return None
    rows = np.array([aims.losses(t.metrics) for t, count in zip(evidence.trials, counts, strict=True) if count])
    # How far each is from the worst values; what is flat leaves the others to decide.
    reached = 1.0 - to_box(np.clip(rows, -LARGEST, LARGEST))
    directions = _directions(len(aims.objectives))
    tails = [fit_tail(_along(evidence, counts, reached, direction)) for direction in directions]
    known = tuple(tail for tail in tails if tail)
    if not known:
        return None
    members = int((fronts(-reached, 1) == 0).sum())
    apart = min(max(round(members * SHARE_APART), 1), MOST_APART)
    return FrontTail(known, _volume(len(aims.objectives)) / len(directions), len(rows), apart, _size(reached))


def _along(evidence: Evidence, counts: np.ndarray, reached: Losses, direction: np.ndarray) -> Evidence:
    """Return the evidence by the volume that each trial reaches in a direction, less of it being worse."""
    losses = np.full(len(evidence.trials), np.inf)
    losses[counts] = -((reached / direction).min(axis=1) ** len(direction))
    return Evidence(evidence.trials, evidence.levels, losses)


def _directions(objectives: int) -> np.ndarray:
    """Return directions spread over the positive part of the unit sphere; shape (directions, objectives)."""
    from scipy.stats import norm, qmc

    shares = qmc.Sobol(objectives, rng=np.random.default_rng(0)).random(DIRECTIONS)
    drawn = np.abs(norm.ppf(np.clip(shares, 1e-6, 1 - 1e-6)))
    return np.maximum(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), 1e-6)


def _volume(objectives: int) -> float:
    """Return the volume of the positive part of the unit ball."""
    return math.pi ** (objectives / 2) / math.gamma(objectives / 2 + 1) / 2**objectives


def _size(reached: Losses) -> float:
    """Return the size of the front of random trials of which as many would have widened it among the later part."""
    later = range(len(reached) - len(reached) // LATER, len(reached))
    widened = sum(not (reached[:number] >= reached[number]).all(axis=1).any() for number in later)
    # Of random trials the one after n others widens a front of m with a chance of m / n. Half a trial more: none is no proof.
    return (widened + 0.5) / sum(1 / max(number, 1) for number in later) if later else 1.0
