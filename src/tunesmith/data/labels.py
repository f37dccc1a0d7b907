"""Turns labels into what networks are trained on: class indices, or numbers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tunesmith.data.columns import parse_number
from tunesmith.data.info import Task
from tunesmith.data.sources._source import Places
from tunesmith.errors import DataError

# Up to this many different whole numbers are taken for classes when the task is not said.
MOST_NUMBERED_CLASSES = 20


@dataclass(frozen=True)
class Labels:
    """`values`: int64 positions in `classes`, or float32 targets of a regression, which has no classes."""

    task: Task
    values: np.ndarray
    classes: tuple[str, ...] = ()


def read_labels(values: np.ndarray, task: Literal["auto"] | Task, places: Places, images: bool = False) -> Labels:
    """Return the labels of all examples.

    values: float64 (NaN: missing) or texts ("": missing). Under `auto` texts and whole numbers that look like classes make a
    classification, all else a regression; for images fractions are refused, since they are more often a mistake.
    Raises DataError for missing labels (with their count and places), a single class, and texts in a regression.
    """
    numeric = values.dtype.kind == "f"
    missing = np.flatnonzero(np.isnan(values) if numeric else values == "")
    if len(missing):
        raise DataError(f"{len(missing):,} of {len(values):,} labels are missing: {places.name(missing)}")
    if task == "auto":
        task = _task_of(values, images, places) if numeric else "classification"
    return _targets(values, places) if task == "regression" else _classes(values, places)


def _task_of(numbers: np.ndarray, images: bool, places: Places) -> Task:
    fractions = np.flatnonzero(numbers != np.round(numbers))
    if len(fractions):
        if images:
            example = f"such as {numbers[fractions[0]]:g}: {places.name(fractions)}"
            raise DataError(
                f"{len(fractions):,} labels are no whole numbers, {example}; a regression on images needs data.task: regression"
            )
        return "regression"
    return "classification" if look_like_classes(numbers, indices=images) else "regression"


def look_like_classes(numbers: np.ndarray, indices: bool) -> bool:
    """Tell whether numbers are classes: few different whole ones; with `indices` also many, from 0 with none left out.

    A regression's whole numbers hardly ever begin at 0 and leave none out, but a count in a column of a table may.
    """
    known = np.unique(numbers)
    if not np.array_equal(known, np.round(known)):
        return False
    return len(known) <= MOST_NUMBERED_CLASSES or (indices and known[0] == 0 and known[-1] == len(known) - 1)


def _targets(values: np.ndarray, places: Places) -> Labels:
    if values.dtype.kind != "f":
        bad = np.flatnonzero(np.isnan([parse_number(text) for text in values.tolist()]))
        raise DataError(f"a regression needs numbers as labels, got {values[bad[0]]!r}: {places.name(bad)}")
    with np.errstate(over="ignore"):
        targets = values.astype(np.float32)
    infinite = np.flatnonzero(np.isinf(targets))
    if len(infinite):
        raise DataError(f"{len(infinite):,} labels are infinite or too large: {places.name(infinite)}")
    if targets.min() == targets.max():
        raise DataError(f"all {len(targets):,} labels are {values[0]:g}; there is nothing to learn")
    return Labels("regression", targets)


def _classes(values: np.ndarray, places: Places) -> Labels:
    """Number the classes: numbers in their order, texts in the alphabet's."""
    if values.dtype.kind == "f":
        infinite = np.flatnonzero(np.isinf(values))
        if len(infinite):
            raise DataError(f"{len(infinite):,} labels are infinite: {places.name(infinite)}")
        known, indices = np.unique(values, return_inverse=True)
        names = [_whole(number) for number in known.tolist()]
    else:
        known, indices = np.unique(values.astype(str), return_inverse=True)
        names = known.tolist()
    if len(names) < 2:
        raise DataError(f"all {len(values):,} labels are {names[0]!r}; a classification needs at least two classes")
    return Labels("classification", indices.astype(np.int64), tuple(names))


def _whole(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
