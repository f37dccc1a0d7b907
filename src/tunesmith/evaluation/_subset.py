"""A share of the training examples that stands for all of them, so that a trial costs less.

By classes: as many of each class as there are in the whole. By clusters: of each class so many clusters, each told by the
example nearest to its centre, so that rare sorts of examples are there, too (the selection by representatives of
Wei et al., "Submodularity in Data Subset Selection and Active Learning", 2015, in its simplest form).
"""

import math
from typing import Any

import numpy as np

from tunesmith.evaluation._growing import growing_order

SEED = 0
COMPONENTS = 16


def subset(x: np.ndarray, y: np.ndarray, share: float, by: str, has_classes: bool) -> np.ndarray:
    """Return the positions of the chosen examples, ascending; the same for all trials, or they could not be compared.

    x: n examples of any shape; y: n labels; share: above 0, to 1.
    """
    count = max(1, math.ceil(share * len(y)))
    if by == "classes":
        return np.sort(growing_order(y, has_classes)[:count])
    groups = [np.flatnonzero(y == label) for label in np.unique(y)] if has_classes else [np.arange(len(y))]
    features = _features(x)
    chosen = [group[_representatives(features[group], math.ceil(share * len(group)))] for group in groups]
    return np.sort(np.concatenate(chosen))


def _features(x: np.ndarray) -> np.ndarray:
    """Return the examples by their first principal components."""
    from sklearn.decomposition import PCA

    flat = np.asarray(x, np.float32).reshape(len(x), -1)
    components = min(COMPONENTS, *flat.shape)
    return PCA(components, svd_solver="randomized", random_state=SEED).fit_transform(flat)


def _representatives(features: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of the examples that are nearest to the centres of so many clusters, no example twice."""
    if count >= len(features):
        return np.arange(len(features))
    from sklearn.cluster import MiniBatchKMeans

    clusters = MiniBatchKMeans(count, random_state=SEED).fit(features)
    labels: Any = clusters.labels_
    distances = clusters.transform(features)[np.arange(len(features)), labels]
    order = np.argsort(distances, kind="stable")
    nearest = order[np.unique(labels[order], return_index=True)[1]]
    rest = order[~np.isin(order, nearest)]
    return np.concatenate([nearest, rest[: count - len(nearest)]])
