"""What a surrogate thinks the best of streams of candidates."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, zip_longest

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
    count = 0
    while batch := list(islice(stream, BATCH)):
        for value, candidate in zip(score(batch).tolist(), batch, strict=True):
            count += 1
            name = identity(candidate)
            if name not in known and (name not in best or best[name][0] > -value):
                best[name] = (-value, count, candidate)
        best = dict(sorted(best.items(), key=lambda item: item[1][:2])[:most])
    return [candidate for _, _, candidate in best.values()]


def interleaved(ranked: Ranking, turns: Sequence[Ranking], identity: Callable[[Candidate], str]) -> Ranking:
    """Return all candidates once: the best of all, and at every `TURN`-th place the best of one of the others after the other.

    A surrogate that is sure of what it has hardly seen is never told otherwise where the best of all is all that is tried.
    """
    others = [candidate for row in zip_longest(*turns) for candidate in row if candidate is not None]
    order: Ranking = []
    for place, other in enumerate(others):
        order += [*ranked[place * (TURN - 1) : (place + 1) * (TURN - 1)], other]
    order += ranked[len(others) * (TURN - 1) :]
    unique: dict[str, dict[str, Value]] = {}
    for candidate in order:
        unique.setdefault(identity(candidate), candidate)
    return list(unique.values())
