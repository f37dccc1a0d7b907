"""What a surrogate thinks the best of streams of candidates."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate

BATCH = 512
TURN = 2
Ranking = list[dict[str, Value]]


def best_of(
    stream: Iterator[dict[str, Value]],
    score: Callable[[Sequence[Candidate]], np.ndarray],
    identity: Callable[[Candidate], str],
    known: frozenset[str],
    most: int,
) -> Ranking:
    """Return the `most` best of a stream, the best first, without what is known, each but once; never all are in memory."""
    best: dict[str, tuple[float, int, dict[str, Value]]] = {}
    count, least = 0, -np.inf
    while batch := list(islice(stream, BATCH)):
        for value, candidate in zip(score(batch).tolist(), batch, strict=True):
            count += 1
            if value <= least:
                continue
            name = identity(candidate)
            if name not in known and (name not in best or best[name][0] > -value):
                best[name] = (-value, count, candidate)
        best = dict(sorted(best.items(), key=lambda item: item[1][:2])[:most])
        # What an identity stands for takes longer to tell than what a candidate is worth.
        least = -max(worth for worth, _, _ in best.values()) if len(best) == most else -np.inf
    return [candidate for _, _, candidate in best.values()]


def interleaved(ranked: Ranking, chance: Ranking, identity: Callable[[Candidate], str]) -> Ranking:
    """Return all candidates once: at every `TURN`-th place one of `chance`, else the best that is left.

    A surrogate that is sure of what it has hardly seen is never told otherwise where the best is all that is tried.
    """
    order: Ranking = []
    for place, other in enumerate(chance):
        order += [*ranked[place * (TURN - 1) : (place + 1) * (TURN - 1)], other]
    order += ranked[len(chance) * (TURN - 1) :]
    unique: dict[str, dict[str, Value]] = {}
    for candidate in order:
        unique.setdefault(identity(candidate), candidate)
    return list(unique.values())
