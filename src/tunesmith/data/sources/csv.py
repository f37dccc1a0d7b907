"""Tables as text: `.csv` with commas, `.tsv` with tabs, both also packed with gzip. The first line names the columns."""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TextIO

import numpy as np

from tunesmith.data.sources._source import Places, RawTable, Source, check_some
from tunesmith.data.words import listed
from tunesmith.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True)
class Csv(Source):
    """Files of rows; the csv module reads them, so that every mistake can be named with its line."""

    takes: ClassVar[str] = ".csv, .tsv (also .gz)"

    def handles(self, uri: str) -> bool:
        return uri.removesuffix(".gz").endswith((".csv", ".tsv"))

    def read(self, path: Path) -> RawTable:
        delimiter = DELIMITERS[path.name.lower().removesuffix(".gz")[-3:]]
        try:
            with _open(path) as file:
                return _read_table(csv.reader(file, delimiter=delimiter, strict=True), delimiter)
        except UnicodeDecodeError as error:
            raise DataError(
                f"is no UTF-8 text (byte 0x{error.object[error.start]:02x} cannot be read); save it as UTF-8"
            ) from None
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"is damaged or cut off ({error})") from None


def _open(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _read_table(reader: "Reader", delimiter: str) -> RawTable:
    rows = _numbered_rows(reader)
    _, header = next(rows, (0, []))
    names = _column_names(header, delimiter)
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, row in rows:
        if len(row) != len(names):
            raise DataError(f"line {line}: has {len(row)} values, the header names {len(names)} columns")
        lines.append(line)
        cells.append(row)
    check_some(len(cells))
    columns = {name: _texts(values) for name, values in zip(names, zip(*cells, strict=True), strict=True)}
    return RawTable(columns, Places("line", lambda i: str(lines[i])))


def _numbered_rows(reader: "Reader") -> Iterator[tuple[int, list[str]]]:
    """Yield rows with the line each begins in; blank lines are left out."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"line {line}: cannot be read as a row ({error})") from None
        if row:
            yield line, row


def _column_names(header: list[str], delimiter: str) -> list[str]:
    """Return the checked names; a nameless one (a table's row labels, say) is called after its position."""
    if not any(name.strip() for name in header):
        raise DataError("is empty; its first line has to name the columns")
    names = [name.strip() or f"column {i}" for i, name in enumerate(header, 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if all(_is_number(name) for name in names):
        raise DataError(f"line 1: has to name the columns, but holds only numbers ({', '.join(names[:5])})")
    if twice:
        raise DataError(f"line 1: names columns twice: {listed(twice)}")
    if len(names) == 1:
        words = {",": "commas", "\t": "tabs"}[delimiter]
        raise DataError(f"line 1: names a single column, {names[0]!r}; columns are separated by {words}")
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _texts(values: tuple[str, ...]) -> np.ndarray:
    stripped = [value.strip() for value in values]
    return np.array(["" if value.lower() in MISSING else value for value in stripped], dtype=object)
