"""The mathematics of several objectives. Losses are arrays of shape (points, objectives), finite, smaller is better."""

import numpy as np
from numpy.typing import NDArray

Losses = NDArray[np.float64]


def dominates(one: Losses, other: Losses) -> bool:
    """Tell whether the point `one`, of shape (objectives,), is nowhere worse than `other` and somewhere better."""
    return bool((one <= other).all() and (one < other).any())


def fronts(losses: Losses, most: int | None = None) -> NDArray[np.intp]:
    """Return each point's front: 0 where nothing dominates it, 1 where only points of front 0 do, and so on.

    most: as soon as so many points have their front, all others are put together in the next one.
    """
    # In lexicographic order no point is dominated by a later one: of those left, the first is always on the front.
    order = np.lexsort(losses.T[::-1])
    points, left = losses[order], np.arange(len(losses))
    found = np.zeros(len(losses), dtype=np.intp)
    front, ranked = 0, 0
    while len(left) and ranked < (len(losses) if most is None else most):
        members, behind = _peel(points, left)
        found[order[behind]] = front = front + 1
        ranked, left = ranked + len(members), behind
    return found


def _peel(points: Losses, left: NDArray[np.intp]) -> tuple[list[int], NDArray[np.intp]]:
    """Return which of the points `left`, in lexicographic order, nothing dominates, and the others in the same order."""
    members, beaten = [], [left[:0]]
    while len(left):
        members.append(int(left[0]))
        leader, left = points[left[0]], left[1:]
        rest = points[left]
        worse = (leader <= rest).all(axis=1) & (leader < rest).any(axis=1)
        beaten.append(left[worse])
        left = left[~worse]
    return members, np.sort(np.concatenate(beaten))


def crowding(losses: Losses) -> NDArray[np.float64]:
    """Return how far apart the neighbours of each point of one front lie (Deb et al., 2002); infinite at the ends."""
    distance = np.zeros(len(losses))
    for column in losses.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]] if len(order) else 0.0
        distance[order[:1]] = distance[order[-1:]] = np.inf
        if spread > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distance


def best_first(losses: Losses, missed: NDArray[np.float64], most: int | None = None) -> NDArray[np.intp]:
    """Return the points' positions, the best first, as NSGA-II has them (Deb et al., 2002).

    missed: how far each is beyond the constraints; what keeps them comes first, by front, the least crowded of a front first.
    most: how many of the first need to be in order.
    """
    kept = np.flatnonzero(missed == 0)
    front, lonely = np.full(len(losses), len(losses)), np.zeros(len(losses))
    front[kept] = fronts(losses[kept], most)
    for level in np.unique(front[kept]):
        members = np.flatnonzero(front == level)
        lonely[members] = crowding(losses[members])
    return np.lexsort((-lonely, front, missed))


def to_ideal(losses: Losses, front: Losses) -> NDArray[np.float64]:
    """Return each point's distance to the ideal of `front`, whose ranges are the unit of each objective.

    The ideal has the front's best value in every objective. An objective in which the front is flat counts as it is.
    """
    # In quarters, and by hypot: neither the range of the largest numbers nor a square may overflow.
    ideal = front.min(axis=0) / 4
    spread = front.max(axis=0) / 4 - ideal
    with np.errstate(over="ignore"):
        return np.hypot.reduce((losses / 4 - ideal) / np.where(spread > 0, spread, 0.25), axis=1)


def hypervolume(losses: Losses, reference: Losses) -> float:
    """Return the volume that the points dominate, bounded by `reference`, of shape (objectives,); exact.

    Cut in slices along the last objective: points^(objectives - 1) steps, meant for two or three objectives.
    """
    inside = losses[(losses < reference).all(axis=1)]
    if not len(inside):
        return 0.0
    if losses.shape[1] == 1:
        return float(reference[0] - inside.min())
    inside = inside[np.argsort(inside[:, -1], kind="stable")]
    if losses.shape[1] == 2:
        lowest = np.minimum.accumulate(inside[:, 0])
        return float(((reference[0] - lowest) * np.diff(np.append(inside[:, 1], reference[1]))).sum())
    heights = np.diff(np.append(inside[:, -1], reference[-1]))
    slices = (hypervolume(inside[: i + 1, :-1], reference[:-1]) * height for i, height in enumerate(heights) if height > 0)
    return float(sum(slices))


def to_box(losses: Losses) -> Losses:
    """Return the points in the box between the best values of all of them, 0, and the worst, 1; 0 where all are alike."""
    low, high = losses.min(axis=0), losses.max(axis=0)
    # In quarters: the range of the largest numbers must not overflow.
    return (losses / 4 - low / 4) / np.where(high > low, high / 4 - low / 4, 0.25)


def volume_shares(losses: Losses) -> list[float]:
    """Return after each point how much of the box between the best and the worst values of all the points so far dominate.

    A share, which never falls. An objective in which all points are alike leaves the others to decide.
    """
    # What is flat has no extent; a box of height 1 leaves the others to decide.
    reference = np.ones(losses.shape[1])
    shares: list[float] = []
    kept = np.empty((0, losses.shape[1]))
    for row in to_box(losses):
        if len(kept) and (kept <= row).all(axis=1).any():
            shares.append(shares[-1])
            continue
        kept = np.vstack([kept[~(row <= kept).all(axis=1)], row])
        shares.append(hypervolume(kept, reference))
    return shares
