"""Turns a table's raw columns into the vectors that networks take, the same way in training, evaluation and export."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tunesmith.data.words import listed
from tunesmith.errors import DataError, SpecError
from tunesmith.files import write_json
from tunesmith.registry import configure

FILE = "encoding.json"
VERSION = 1

# Values further from the mean than this many deviations are moved to it: a stray 1e30 must not become infinite.
LIMIT = 100.0


@dataclass(frozen=True)
class Column:
    """How one raw column becomes features.

    numeric   clip((value - mean) / deviation, -limit, limit), a missing value counting as `fill`; then, with `indicator`, 1
              where the value is missing, else 0. All in float32; deviation > 0.
    category  for each text of `vocabulary` 1 where the value equals it, else 0; then, with `other`, 1 where the value is
              neither missing nor in the vocabulary; then, with `indicator`, 1 where it is missing.

    So what training has never seen (a new category without `other`, a missing one without `indicator`) encodes as zeros.
    """

    name: str
    kind: Literal["numeric", "category"]
    fill: float = 0.0
    mean: float = 0.0
    deviation: float = 1.0
    indicator: bool = False
    vocabulary: tuple[str, ...] = ()
    other: bool = False

    @property
    def features(self) -> list[str]:
        """The names of the column's features, in order."""
        names = [self.name] if self.kind == "numeric" else [f"{self.name}={value}" for value in self.vocabulary]
        return names + [f"{self.name} other"] * self.other + [f"{self.name} missing"] * self.indicator

    def encode(self, values: np.ndarray, limit: float) -> np.ndarray:
        """Return float32 features of shape (rows, len(features)); raises DataError for values of the other kind."""
        numeric = values.dtype.kind in "fiub"
        if numeric != (self.kind == "numeric"):
            raise DataError(
                f"column {self.name!r}: needs {'numbers' if self.kind == 'numeric' else 'texts'}, got {values.dtype}"
            )
        return self._encode_numbers(values, limit) if numeric else self._encode_texts(values)

    def _encode_numbers(self, values: np.ndarray, limit: float) -> np.ndarray:
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float32)
            missing = np.isnan(numbers)
            filled = np.where(missing, np.float32(self.fill), numbers)
            scaled = (filled - np.float32(self.mean)) / np.float32(self.deviation)
        scaled = np.clip(scaled, np.float32(-limit), np.float32(limit))
        return np.column_stack([scaled, missing]).astype(np.float32) if self.indicator else scaled[:, None]

    def _encode_texts(self, values: np.ndarray) -> np.ndarray:
        index = {text: i for i, text in enumerate(self.vocabulary)}
        others = len(self.vocabulary) if self.other else -1
        index[""] = len(self.features) - 1 if self.indicator else -1
        positions = np.array([index.get(text, others) for text in values.tolist()], dtype=int)
        features = np.zeros((len(values), len(self.features)), dtype=np.float32)
        known = np.flatnonzero(positions >= 0)
        features[known, positions[known]] = 1
        return features


@dataclass(frozen=True)
class TableEncoding:
    """The encoding of a whole table, fitted on its training split; `encoding.json` in its folder.

    `columns` are in the order of their features. `limit`: see Column.
    """

    columns: tuple[Column, ...]
    limit: float = LIMIT

    @property
    def features(self) -> list[str]:
        """The names of all features, in order."""
        return [name for column in self.columns for name in column.features]

    def encode(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return float32 features of shape (rows, features), finite for any row.

        columns: numbers (NaN: missing) or texts ("": missing) by column name, equally long; further columns are ignored.
        Raises DataError for a column that is missing, of another kind or of another length.
        """
        absent = [column.name for column in self.columns if column.name not in columns]
        if absent:
            raise DataError(f"lacks the columns {listed(absent)}; it has: {listed(list(columns))}")
        lengths = {column.name: len(columns[column.name]) for column in self.columns}
        if len(set(lengths.values())) > 1:
            raise DataError(f"columns have different lengths: {lengths}")
        parts = [column.encode(np.asarray(columns[column.name]), self.limit) for column in self.columns]
        return np.concatenate(parts, axis=1) if parts else np.zeros((0, 0), np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return the encoding as plain data."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TableEncoding":
        """Read what `to_json` returns; raises DataError for anything else."""
        if content.get("version", 0) > VERSION:
            raise DataError(f"was written by a newer Tunesmith (format {content['version']}, this one reads {VERSION})")
        try:
            columns = [configure(Column, column, f"columns.{i}") for i, column in enumerate(content["columns"])]
            return cls(tuple(columns), float(content["limit"]))
        except (KeyError, TypeError, ValueError, SpecError) as error:
            raise DataError(f"is no table's encoding ({type(error).__name__}: {error})") from None

    def save(self, folder: Path) -> None:
        """Write `encoding.json` into `folder`."""
        write_json(folder / FILE, self.to_json())

    @classmethod
    def load(cls, folder: Path) -> "TableEncoding":
        """Read `encoding.json`; raises DataError where it is missing or damaged."""
        path = folder / FILE
        try:
            return cls.from_json(json.loads(path.read_text()))
        except FileNotFoundError:
            raise DataError(f"{folder}: has no {FILE}") from None
        except (ValueError, AttributeError) as error:
            raise DataError(f"{path}: is damaged ({error})") from None
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
