"""Tables of NAS-Bench-201's form: a CSV of `code` (six digits: the operations on a cell's edges) and accuracies in %.

Columns `X_val200` and `X_test200` make the data set X; `X_val200_runs`, single runs, let queries be noisy.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from folder import read_each
from tunesmith.spaces._space import Candidate
from tunesmith.spaces.cells_nasbench201 import EDGES, OPERATIONS


@dataclass(frozen=True)
class Table:
    """Accuracies by code. A query answers `validation`, or one of the `runs`; the search is judged by `test`."""

    name: str
    validation: Mapping[str, float]
    test: Mapping[str, float]
    runs: Mapping[str, list[float]]

    @property
    def optimum(self) -> float:
        """The greatest test accuracy of all cells."""
        return max(self.test.values())

    @property
    def chosen(self) -> float:
        """The test accuracy of the cell that is best by validation: what a search that sees every cell would return."""
        return self.test[max(self.validation, key=lambda code: self.validation[code])]

    def query(self, code: str, rng: np.random.Generator | None) -> float:
        """Return a cell's validation accuracy; with `rng` that of a single run."""
        return self.validation[code] if rng is None else float(rng.choice(self.runs[code]))


@lru_cache(maxsize=1)
def find(data: Path) -> dict[str, Table]:
    """Return the data sets of all such files in a folder, by name; a noisy one besides where there are single runs."""
    return {table.name: table for table in read_each(data, (".csv", ".csv.gz"), _of_file)}


def _of_file(file: Path) -> Iterator[Table]:
    rows = _rows(file)
    names = [name.removesuffix("_val200") for name in (rows[0] if rows else {}) if name.endswith("_val200")]
    for name in names if rows and "code" in rows[0] else ():
        yield from _tables(rows, name).values()


def code_of(candidate: Candidate) -> str:
    """Return a candidate's six digits."""
    return "".join(str(OPERATIONS.index(str(candidate[edge]))) for edge in EDGES)


def _rows(file: Path) -> list[dict[str, str]]:
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    lines = content.decode(errors="replace").splitlines()
    is_of_cells = bool(lines) and "code" in next(csv.reader(lines[:1]))
    return list(csv.DictReader(lines)) if is_of_cells else []


def _tables(rows: list[dict[str, str]], name: str) -> dict[str, Table]:
    columns = rows[0]
    if f"{name}_test200" not in columns:
        return {}
    known = [row for row in rows if row[f"{name}_val200"].strip() and row[f"{name}_test200"].strip()]
    validation = {row["code"]: float(row[f"{name}_val200"]) for row in known}
    test = {row["code"]: float(row[f"{name}_test200"]) for row in known}
    tables = {name: Table(name, validation, test, {})}
    if f"{name}_val200_runs" in columns:
        runs = {row["code"]: [float(run) for run in row[f"{name}_val200_runs"].split()] for row in known}
        tables[f"{name}-noisy"] = Table(f"{name}-noisy", validation, test, runs)
    return tables
