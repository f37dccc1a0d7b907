"""A study's process beside those of earlier studies: f = level + the sum of follow_i g_i + h.

Notation:
    g_i      the function of an earlier study, known by that study's trials
    h        what this study has of its own
    follow   how far this study follows an earlier one; 0 where that has nothing to do with it (`model.fit_beside`)
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import block_diag

from tunesmith.strategies._gp.earlier import Earlier
from tunesmith.strategies._gp.kernel import Features, Kernel
from tunesmith.strategies._gp.model import LEVEL, Given


class Joint:
    """What the process expects after it has seen the earlier studies' trials and this study's values.

    kernel: of h. follows: one figure per earlier study.
    """

    def __init__(
        self, earlier: Sequence[Earlier], kernel: Kernel, follows: np.ndarray, seen: Features, values: np.ndarray
    ) -> None:
        self.parts = [(float(follow), each) for follow, each in zip(follows, earlier, strict=True) if follow > 0]
        self.kernel, self.seen = kernel, seen
        self.variance = LEVEL + kernel.variance + sum(follow**2 * each.kernel.variance for follow, each in self.parts)
        told = [each.posterior.values for _, each in self.parts]
        self.given = Given(self._covariance(), np.concatenate([*told, values]))
        self.means = values - kernel.noise * self.given.weights[-len(values) :]

    def predict(self, asked: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations of the function, without noise."""
        return self.given.predict(self._cross(asked), self.variance)

    def slope(self, numbers: np.ndarray, options: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Return mean and deviation at one candidate, and their gradients by its numbers."""
        one = self.seen.like(numbers, options)
        return self.given.slope(*self._slope(one), self.variance)

    def _covariance(self) -> np.ndarray:
        earlier = [
            each.kernel.between(each.seen, each.seen) + each.kernel.noise * np.eye(len(each.seen)) for _, each in self.parts
        ]
        own = self.kernel.noise * np.eye(len(self.seen))
        covariance = np.asarray(block_diag(*earlier, own))
        cross = self._cross(self.seen)
        covariance[-len(self.seen) :] += cross
        covariance[: -len(self.seen), -len(self.seen) :] += cross[:, : -len(self.seen)].T
        return covariance

    def _cross(self, asked: Features) -> np.ndarray:
        """Return the covariances of m candidates with all that is known: the earlier trials, then this study's."""
        blocks, own = [], LEVEL + self.kernel.between(asked, self.seen)
        for follow, each in self.parts:
            part = each.known.part(asked)
            blocks.append(follow * each.kernel.between(part, each.seen))
            own = own + follow**2 * each.kernel.between(part, each.known.part(self.seen))
        return np.hstack([*blocks, own])

    def _slope(self, one: Features) -> tuple[np.ndarray, np.ndarray]:
        """Return one candidate's covariances with the same, and their gradients by its numbers; shapes (n,), (n, p)."""
        blocks, (own, change) = [], self.kernel.slope(one, self.seen)
        own = LEVEL + own
        for follow, each in self.parts:
            part = each.known.part(one)
            covariances, steep = each.kernel.slope(part, each.seen)
            blocks.append((follow * covariances, follow * steep * each.known.numbers))
            covariances, steep = each.kernel.slope(part, each.known.part(self.seen))
            own, change = own + follow**2 * covariances, change + follow**2 * steep * each.known.numbers
        crosses, changes = zip(*blocks, (own, change), strict=True)
        return np.concatenate(crosses), np.vstack(changes)
