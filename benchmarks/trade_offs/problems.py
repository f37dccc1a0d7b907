"""Problems of two objectives, both losses: made ones with known fronts, and tables of architectures."""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from folder import read_each
from quality.problem import Knob, declared
from tunesmith.pareto import fronts, hypervolume
from tunesmith.spaces._distributions import Choice, Int, LogUniform, Uniform
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces.cells_nasbench201 import EDGES, OPERATIONS, NASBench201

CELL = tuple(Knob(edge, Choice(OPERATIONS)) for edge in EDGES)
# The reference point lies beyond the front's worst values by this share of its range.
MARGIN = 0.1


@dataclass(frozen=True)
class TradeOff:
    """Two losses over a space; `front`: points of the Pareto front, shape (points, 2).

    `own`: the space that Tunesmith's strategies are given, if another than that of the knobs, which peers are given.
    """

    name: str
    knobs: tuple[Knob, ...]
    losses: Callable[[Candidate], tuple[float, float]]
    front: np.ndarray
    own: Space | None = None

    @property
    def space(self) -> Space:
        """The space of Tunesmith's strategies."""
        return self.own or declared(self.knobs)

    def covered(self, losses: np.ndarray) -> float:
        """Return the hypervolume of points, shape (points, 2), as a share of the front's."""
        low, high = self.front.min(axis=0), self.front.max(axis=0)
        spread, reference = high - low, np.full(2, 1 + MARGIN)
        best = hypervolume((self.front - low) / spread, reference)
        return hypervolume((losses - low) / spread, reference) / best


def find(data: Path | None) -> dict[str, TradeOff]:
    """Return the problems by name, with those of the tables in the folder."""
    found = [*_made(), *(_tables(data) if data else ())]
    return {problem.name: problem for problem in found}


def _made() -> Iterator[TradeOff]:
    yield TradeOff("two-bowls", BOWLS, _bowls, _line(lambda t: (t**2, (0.4 - t) ** 2), 0.4))
    yield TradeOff("zdt1", _cube(8), _zdt(lambda share: 1 - np.sqrt(share)), _line(lambda t: (t, 1 - np.sqrt(t)), 1.0))
    yield TradeOff("zdt2", _cube(8), _zdt(lambda share: 1 - share**2), _line(lambda t: (t, 1 - t**2), 1.0))


BOWLS = (
    *(Knob(f"x{i}", Uniform(0, 1)) for i in range(2)),
    Knob("rate", LogUniform(1e-4, 1.0)),
    Knob("size", Int(0, 100)),
    Knob("kind", Choice(("a", "b", "c"))),
    Knob("more", Uniform(0, 1), "kind", ("b", "c")),
)


def _bowls(candidate: Candidate) -> tuple[float, float]:
    """Two bowls whose bottoms lie apart; one option is right for both."""
    places = np.array([knob.distribution.cdf([candidate[knob.name]])[0] for knob in BOWLS[:4]])
    wrong = 0.0 if candidate["kind"] == "b" else 0.3
    return float(((places - 0.2) ** 2).mean()) + wrong, float(((places - 0.6) ** 2).mean()) + wrong


def _cube(size: int) -> tuple[Knob, ...]:
    return tuple(Knob(f"x{i}", Uniform(0, 1)) for i in range(size))


def _zdt(shape: Callable[[float], float]) -> Callable[[Candidate], tuple[float, float]]:
    """The problems of Zitzler, Deb and Thiele (2000), their optimum moved from the edge to 0.3."""

    def losses(candidate: Candidate) -> tuple[float, float]:
        first, *others = (float(candidate[f"x{i}"] or 0) for i in range(len(candidate)))
        beyond = 1 + 9 * float(np.mean(np.abs(np.array(others) - 0.3)))
        return first, beyond * shape(first / beyond)

    return losses


def _line(point: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], end: float) -> np.ndarray:
    return np.stack(point(np.linspace(0, end, 500)), axis=1)


def _tables(data: Path) -> Iterator[TradeOff]:
    """Yield error against each latency of tables of cells: a CSV has codes and accuracies, an NPZ codes and latencies."""
    errors = dict(read_each(data, (".csv.gz",), lambda file: _errors(file).items()))
    yield from read_each(data, (".npz",), lambda file: _of_file(file, errors))


def _of_file(file: Path, errors: Mapping[str, dict[str, float]]) -> Iterator[TradeOff]:
    with np.load(file) as content:
        if "code" not in content.files or content["code"].dtype.kind not in "SU":
            return
        codes = [str(code, "ascii") if isinstance(code, bytes) else str(code) for code in content["code"]]
        for name in content.files:
            data_set, _, device = name.partition("_")
            if device.endswith("_latency") and data_set in errors and (content[name] > 0).all():
                yield _table(f"nb201-{data_set}-{device.removesuffix('_latency')}", codes, errors[data_set], content[name])


def _errors(file: Path) -> dict[str, dict[str, float]]:
    """Return 100 - accuracy by code, by data set."""
    with gzip.open(file, "rt", newline="") as lines:
        rows = csv.DictReader(lines)
        names = [name for name in rows.fieldnames or () if name.endswith("_val200")]
        if "code" not in (rows.fieldnames or ()) or not names:
            return {}
        table = list(rows)
    return {name.removesuffix("_val200"): {row["code"]: 100 - float(row[name]) for row in table} for name in names}


def _table(name: str, codes: list[str], errors: dict[str, float], latencies: np.ndarray) -> TradeOff:
    points = {code: (errors[code], float(latency)) for code, latency in zip(codes, latencies, strict=True) if code in errors}

    def losses(candidate: Candidate) -> tuple[float, float]:
        return points["".join(str(OPERATIONS.index(candidate[knob.name])) for knob in CELL)]

    every = np.array(list(points.values()))
    return TradeOff(name, CELL, losses, every[fronts(every, 1) == 0], NASBench201())
