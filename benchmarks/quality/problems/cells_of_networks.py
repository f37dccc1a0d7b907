"""NAS-Bench-201's form of table: a CSV whose `code` has six digits, the operations on a cell's edges, beside accuracies in %.

A column `X_val200` (else `X_test200`) makes the problem `nb201-X`: 100 - accuracy. `X_val200_runs`, single runs, makes
`nb201-X-noisy`, which sees one of them and is judged by their mean.
"""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from folder import read_each
from quality.problem import Knob, Problem, TrialFailed
from tunesmith.spaces._distributions import Choice
from tunesmith.spaces._space import Candidate

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2")
KNOBS = tuple(Knob(edge, Choice(OPERATIONS)) for edge in EDGES)


def find(data: Path | None, shift: int) -> Iterator[Problem]:
    """Yield the problems of all such tables in the folder; the shift is for made problems."""
    del shift
    yield from read_each(data, (".csv", ".csv.gz"), _of_file)


def _of_file(file: Path) -> Iterator[Problem]:
    columns = _header(file)
    sets = [name.removesuffix("_val200") for name in columns if re.fullmatch(r".+_val200", name)]
    sets += [name.removesuffix("_test200") for name in columns if re.fullmatch(r".+_test200", name)]
    for place, name in enumerate(dict.fromkeys(sets) if "code" in columns else ()):
        yield from _problems(file, columns, name, place == 0)


def _problems(file: Path, columns: list[str], name: str, usual: bool) -> Iterator[Problem]:
    target = f"{name}_val200" if f"{name}_val200" in columns else f"{name}_test200"
    table = _losses(file, target)
    mean = {code: float(np.mean(runs)) for code, runs in table.items()}
    code = min(mean, key=lambda code: mean[code])
    optimum = {edge: OPERATIONS[int(digit)] for edge, digit in zip(EDGES, code, strict=True)}

    def loss(candidate: Candidate) -> float:
        return _look_up(mean, candidate)

    yield Problem(f"nb201-{name}", "architecture", KNOBS, loss, mean[code], optimum, usual=usual)
    if f"{target}_runs" not in columns:
        return
    runs = _losses(file, f"{target}_runs")
    of_runs = {code: float(np.mean(values)) for code, values in runs.items()}
    best = min(of_runs, key=lambda code: of_runs[code])
    yield Problem(
        *(f"nb201-{name}-noisy", "architecture", KNOBS),
        loss=lambda candidate: _look_up(of_runs, candidate),
        best=of_runs[best],
        optimum={edge: OPERATIONS[int(digit)] for edge, digit in zip(EDGES, best, strict=True)},
        observe=lambda candidate, rng: float(rng.choice(runs[_code(candidate)])),
    )


def _look_up(table: Mapping[str, float], candidate: Candidate) -> float:
    code = _code(candidate)
    if code not in table:
        raise TrialFailed(f"the table lacks {code}")
    return table[code]


def _code(candidate: Candidate) -> str:
    return "".join(str(OPERATIONS.index(candidate[edge])) for edge in EDGES)


def _header(file: Path) -> list[str]:
    with _open(file) as lines:
        return next(csv.reader(lines), [])


@lru_cache(maxsize=8)
def _losses(file: Path, column: str) -> dict[str, list[float]]:
    """Return 100 - accuracy by code; a cell may hold several numbers."""
    with _open(file) as lines:
        rows = csv.DictReader(lines)
        return {row["code"]: [100 - float(number) for number in row[column].split()] for row in rows if row[column].strip()}


def _open(file: Path):  # noqa: ANN202  # a text file, of gzip's kind or the plain one
    return gzip.open(file, "rt", newline="") if file.suffix == ".gz" else file.open(newline="")
