"""Which size a trial has, by its number, and which trials its surrogate has learned from."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeGuard

import numpy as np

from tunesmith.errors import SpecError
from tunesmith.spaces._capabilities import Expandable
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space
from tunesmith.study import StudyView


@dataclass(frozen=True)
class Stage:
    """What comes next: `level`, from 1, is the size of cells, 0 where candidates have no sizes; `over`: all sizes were seen.

    start: the surrogate has learned from the trials below this number. Where that is 0 there is none.
    """

    level: int
    start: int
    over: bool = False


def stage_of_rounds(number: int, first: int, block: int) -> Stage:
    """Return the stage where candidates have no sizes: the first ones are random, then the surrogate learns in blocks."""
    return Stage(0, 0) if number < first else Stage(0, number - (number - first) % block, over=True)


def stage_of_levels(number: int, first: int, share: int, levels: int, block: int) -> Stage:
    """Return the stage of cells: `first` of one block, then a share of the trials for each size, then the largest for ever."""
    if number < first:
        return Stage(1, 0)
    level = min(2 + (number - first) // share, levels + 1)
    begin = first + (level - 2) * share
    return Stage(min(level, levels), number - (number - begin) % block, over=level > levels)


def grows(space: Space) -> TypeGuard[Expandable]:
    """Tell whether candidates have sizes: a space may have a setting by which all are of one, or a cell that is given."""
    if not isinstance(space, Expandable):
        return False
    smallest = next(iter(space.smallest()), None)
    if smallest is None:
        return False
    try:
        space.realize(smallest)
    except SpecError:
        return False
    return True


def levels_of(space: Expandable) -> int:
    """Return how many blocks the largest candidate has, by making one."""
    candidate = next(iter(space.smallest()))
    levels = 1
    while (larger := next(iter(space.expand(candidate)), None)) is not None:
        candidate, levels = larger, levels + 1
    return levels


def smallest_of(space: Expandable, study: StudyView, most: int) -> list[dict[str, Value]]:
    """Return the cells of one block in random order, `most` of them where there are more, each but once."""
    rng = np.random.default_rng(study.seed)
    kept = thinned(_different(space.smallest(), study), most, rng)
    return [kept[place] for place in rng.permutation(len(kept))]


def thinned(candidates: Iterator[dict[str, Value]], most: int, rng: np.random.Generator) -> list[dict[str, Value]]:
    """Return at most so many of a stream, each as likely as any other (Vitter, 1985: algorithm R)."""
    kept = list(islice(candidates, most))
    for count, candidate in enumerate(candidates, most + 1):
        place = int(rng.integers(count))
        if place < most:
            kept[place] = candidate
    return kept


def _different(candidates: Iterator[dict[str, Value]], study: StudyView) -> Iterator[dict[str, Value]]:
    seen: set[str] = set()
    for candidate in candidates:
        identity = study.identity(candidate)
        if identity not in seen:
            seen.add(identity)
            yield candidate
