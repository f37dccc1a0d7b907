"""A Gaussian process that knows its points by their distances alone."""

from dataclasses import dataclass

import numpy as np

# Lengths over which candidates are alike, in shares of the median distance, and shares of noise: the likeliest pair is taken.
LENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
NOISES = (1e-4, 1e-3, 1e-2, 1e-1, 0.5)
LEAST = 1e-9


@dataclass(frozen=True)
class EditProcess:
    """The process of covariance `scale * (exp(-distance / length) + noise)` that was told values at points.

    Of edit distances no kernel is sure to be positive definite: what is not is cut off (Jin et al., 2019, embed instead).
    """

    length: float
    noise: float
    scale: float
    vectors: np.ndarray
    spectrum: np.ndarray
    weights: np.ndarray

    @classmethod
    def fitted(cls, distances: np.ndarray, values: np.ndarray) -> "EditProcess":
        """Return the likeliest process; distances n x n, values n, with mean 0 and deviation 1."""
        apart = distances[np.triu_indices(len(distances), 1)]
        usual = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
        found = [cls._candidates(distances, values, share * usual) for share in LENGTHS]
        return min((each for some in found for each in some), key=lambda pair: pair[0])[1]

    @classmethod
    def _candidates(cls, distances: np.ndarray, values: np.ndarray, length: float) -> "list[tuple[float, EditProcess]]":
        """Return the negative log likelihood, but for what all share, and the process, for each noise."""
        eigenvalues, vectors = np.linalg.eigh(np.exp(-distances / length))
        turned, made = vectors.T @ values, []
        for noise in NOISES:
            spectrum = np.maximum(eigenvalues, LEAST) + noise
            scale = max(float((turned**2 / spectrum).mean()), LEAST)
            surprise = 0.5 * (len(values) * np.log(scale) + np.log(spectrum).sum())
            made.append((float(surprise), cls(length, noise, scale, vectors, spectrum, turned / spectrum)))
        return made

    def with_points(self, distances: np.ndarray, values: np.ndarray) -> "EditProcess":
        """Return the process of the same shape that was told of other points."""
        eigenvalues, vectors = np.linalg.eigh(np.exp(-distances / self.length))
        spectrum = np.maximum(eigenvalues, LEAST) + self.noise
        return EditProcess(self.length, self.noise, self.scale, vectors, spectrum, vectors.T @ values / spectrum)

    def predict(self, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation at points, given their distances to those told, n x told."""
        across = np.exp(-distances / self.length) @ self.vectors
        left = 1.0 - (across**2 / self.spectrum).sum(axis=1)
        return across @ self.weights, np.sqrt(self.scale * np.maximum(left, LEAST))
