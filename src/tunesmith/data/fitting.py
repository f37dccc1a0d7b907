"""Fits a table's encoding to its training split, and says which columns cannot be used and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.data.encoding import Column, TableEncoding
from tunesmith.data.words import listed
from tunesmith.errors import DataError

# A category beyond the most frequent ones, or seen only once, counts as "other".
MOST_CATEGORIES = 50
LEAST_SEEN = 2

# Texts of which more than half are different, and more than this many, are names or free text, no categories.
FREE_TEXT = 20


@dataclass(frozen=True)
class Fitted:
    """An encoding, and the reason why by name of each column that it leaves out."""

    encoding: TableEncoding
    dropped: dict[str, str]


def fit_encoding(columns: Mapping[str, np.ndarray], train: np.ndarray) -> Fitted:
    """Fit the encoding to the rows `train`; raises DataError where no column is left.

    columns: float64 (NaN: missing) or texts ("": missing) by name.
    """
    fitted: list[Column] = []
    dropped: dict[str, str] = {}
    for name, values in columns.items():
        reason = _row_number(values)
        found = reason or (_fit_numbers(name, values[train]) if values.dtype.kind == "f" else _fit_texts(name, values[train]))
        if isinstance(found, Column):
            fitted.append(found)
        else:
            dropped[name] = found
    if not fitted:
        reasons = listed([f"{name} ({reason})" for name, reason in dropped.items()])
        raise DataError(f"no column is left to learn from: {reasons or 'there is none besides the label'}")
    return Fitted(TableEncoding(tuple(fitted)), dropped)


def _row_number(values: np.ndarray) -> str:
    """Return the reason to drop a column that counts the rows; an empty string for any other."""
    counts = values.dtype.kind == "f" and len(values) > 2 and values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))
    return "counts the rows" if counts else ""


def _fit_numbers(name: str, values: np.ndarray) -> Column | str:
    numbers = values.astype(np.float32)
    missing = np.isnan(numbers)
    known = numbers[~missing].astype(np.float64)
    if not len(known):
        return "holds no value in the training split"
    mean, deviation = float(known.mean()), float(known.std())
    # A deviation that vanishes in float32, in which rows are encoded, is none.
    if known.min() == known.max() or np.float32(deviation) == 0:
        if not missing.any():
            return f"is always {known[0]:g} in the training split"
        deviation = 1.0
    return Column(name, "numeric", float(np.median(known)), mean, deviation, bool(missing.any()))


def _fit_texts(name: str, values: np.ndarray) -> Column | str:
    counts = Counter(values.tolist())
    missing = counts.pop("", 0)
    present = sum(counts.values())
    if not present:
        return "holds no value in the training split"
    if len(counts) == 1 and not missing:
        return f"is always {next(iter(counts))!r} in the training split"
    if len(counts) > 1 and (len(counts) == present or (len(counts) > FREE_TEXT and len(counts) > present / 2)):
        return f"{len(counts):,} of {present:,} texts are different: a name or free text, no category"
    frequent = sorted(counts, key=lambda text: (-counts[text], text))[:MOST_CATEGORIES]
    vocabulary = tuple(sorted(text for text in frequent if counts[text] >= LEAST_SEEN))
    return Column(name, "category", indicator=missing > 0, vocabulary=vocabulary, other=len(vocabulary) < len(counts))
