"""Expected improvement on a logarithmic scale, exact where it is tiny."""

import numpy as np
from scipy.special import erfcx, ndtr

ROOT_2PI = np.sqrt(2 * np.pi)


def log_improvement(best: float | np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return the logarithm of the expected improvement below `best` (Ament et al., 2023), exact where it is tiny."""
    z = (best - mean) / deviation
    return np.log(deviation) + _log_h(z)


def _log_h(z: np.ndarray) -> np.ndarray:
    """Return log(phi(z) + z Phi(z)); far below 0 by the scaled complementary error function, then by its series."""
    near = np.maximum(z, -1.0)
    direct = np.log(np.exp(-0.5 * near**2) / ROOT_2PI + near * ndtr(near))
    far = np.clip(z, -1e3, -1.0)
    mills = 1 + far * np.sqrt(np.pi / 2) * erfcx(-far / np.sqrt(2))
    series = -2 * np.log(np.maximum(-z, 1.0))
    tail = -0.5 * z**2 - np.log(ROOT_2PI) + np.where(z > -1e3, np.log(np.maximum(mills, 1e-300)), series)
    return np.where(z > -1.0, direct, tail)
