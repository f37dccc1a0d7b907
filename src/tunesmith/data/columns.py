"""Finds out what the columns of a table are: numbers or categories, and which one is the label."""

from dataclasses import dataclass

import numpy as np

from tunesmith.data.sources._source import Places, RawTable
from tunesmith.data.words import listed
from tunesmith.errors import DataError
from tunesmith.registry import did_you_mean

TARGET_NAMES = ("target", "label", "class", "y")
SPLIT_COLUMN = "split"
SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}

# A column with more different numbers than this, of which at least this share are numbers, is a column of numbers with slips.
MOST_SLIPS = 0.05
LEAST_NUMBERS = 20


@dataclass(frozen=True)
class Typed:
    """A column as float64 (NaN: missing) or texts ("": missing); `slips` are the rows whose text is no number."""

    values: np.ndarray
    slips: np.ndarray

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.values.dtype.kind == "f"


def find_target(table: RawTable, wanted: str | None) -> str:
    """Return the label's column: `wanted`, or the one that is named like a label; raises DataError naming the columns."""
    names = list(table.columns)
    if wanted is not None:
        if wanted not in names:
            raise DataError(
                f"has no column {wanted!r} (data.target); its columns: {listed(names)}{did_you_mean(wanted, names)}"
            )
        return wanted
    found = [name for name in names if name.lower() in TARGET_NAMES]
    if len(found) == 1:
        return found[0]
    problem = f"{' and '.join(found)} may all be the label" if found else "no column is named like a label"
    raise DataError(f"{problem}; name the label's column in data.target; its columns: {listed(names)}")


def take_split_column(table: RawTable, target: str) -> tuple[RawTable, np.ndarray | None]:
    """Take a column `split` of split names (train, test, validation) out of the table and return what it assigns to each row.

    A column `split` of anything else is an ordinary column; raises DataError where only some of its rows have a split.
    """
    values = table.columns.get(SPLIT_COLUMN)
    if values is None or target == SPLIT_COLUMN or values.dtype.kind == "f":
        return table, table.assigned
    words = [text.lower() for text in values.tolist()]
    if not {word for word in words if word} <= set(SPLIT_WORDS) or not any(words):
        return table, table.assigned
    missing = np.flatnonzero([not word for word in words])
    if len(missing):
        raise DataError(f"column {SPLIT_COLUMN!r} assigns no split to {len(missing):,} rows: {table.places.name(missing)}")
    rest = {name: column for name, column in table.columns.items() if name != SPLIT_COLUMN}
    return RawTable(rest, table.places), np.array([SPLIT_WORDS[word] for word in words])


def type_column(name: str, values: np.ndarray, places: Places) -> Typed:
    """Return the column with its type; raises DataError for an infinite number.

    A column that is all numbers but for a few slips ("12,5", "abc") counts as numbers, the slips as missing.
    """
    nothing = np.array([], dtype=int)
    if values.dtype.kind == "f":
        return Typed(_check_finite(name, values, places), nothing)
    texts: list[str] = values.tolist()
    numbers = np.array([parse_number(text) for text in texts])
    present = np.array([bool(text) for text in texts])
    slips = np.flatnonzero(present & np.isnan(numbers))
    if not len(slips) or _are_slips(numbers, slips):
        return Typed(_check_finite(name, numbers, places), slips)
    return Typed(values, nothing)


def parse_number(text: str) -> float:
    """Read a number; NaN for anything else. Python's own digit separator (1_000) is no number here."""
    try:
        return float(text) if "_" not in text else np.nan
    except ValueError:
        return np.nan


def _are_slips(numbers: np.ndarray, slips: np.ndarray) -> bool:
    known = numbers[~np.isnan(numbers)]
    return len(slips) <= MOST_SLIPS * len(known) and len(np.unique(known)) > LEAST_NUMBERS


def _check_finite(name: str, numbers: np.ndarray, places: Places) -> np.ndarray:
    """Raise DataError for numbers that are infinite as float32, in which all is computed."""
    with np.errstate(over="ignore"):
        infinite = np.flatnonzero(np.isinf(numbers.astype(np.float32)))
    if len(infinite):
        raise DataError(f"column {name!r} holds {len(infinite):,} infinite or too large numbers: {places.name(infinite)}")
    return numbers
