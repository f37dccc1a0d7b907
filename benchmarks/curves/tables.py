"""Problems of learning curves, from tables of random settings: a candidate has the curve of the table's nearest setting.

Recognised by `hp` with `hp_names`: LCBench (`instances` and `val_acc_x100`), TaskSet (an array an instance, settings x splits x
steps). A trial is worth the best loss of its curve; a curve fails at its first value that is not finite.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from folder import read_each
from quality.problems._columns import Columns, read_columns
from tunesmith.spaces._space import Candidate


@dataclass(frozen=True)
class Problem:
    """Settings and their losses at every step, shape (settings, steps), smaller is better."""

    name: str
    columns: Columns
    losses: np.ndarray

    @property
    def steps(self) -> int:
        """Steps of a trial that nobody stops."""
        return self.losses.shape[1]

    @property
    def worth(self) -> np.ndarray:
        """What every setting comes to in the end, infinite where it fails, shape (settings,)."""
        return np.where(np.isfinite(self.losses).all(axis=1), self.losses.min(axis=1), np.inf)

    def curve(self, candidate: Candidate) -> list[float]:
        """Return the losses of the setting nearest to a candidate."""
        return self.losses[self.columns.nearest(candidate)].tolist()


@lru_cache(maxsize=2)
def find(data: Path) -> dict[str, Problem]:
    """Return the problems of all tables in a folder, by name."""
    return {problem.name: problem for problem in read_each(data, (".npz",), _read)}


def _read(file: Path) -> Iterator[Problem]:
    with np.load(file) as content:
        names = set(content.files)
        if not names >= {"hp", "hp_names"}:
            return
        title, curves = ("lcbench", _lcbench(content)) if "val_acc_x100" in names else ("taskset", _taskset(content))
        if curves:
            columns = read_columns(dict(zip(content["hp_names"].tolist(), content["hp"].T, strict=True)))
        for name, losses in sorted(curves.items()):
            yield Problem(f"{title}-{name}", columns, losses)


def _lcbench(content: Any) -> Mapping[str, np.ndarray]:
    losses = 100 - content["val_acc_x100"] / 100
    return dict(zip(content["instances"].tolist(), losses, strict=True))


def _taskset(content: Any) -> Mapping[str, np.ndarray]:
    splits = content["splits"].tolist() if "splits" in content.files else []
    split = splits.index("valid") if "valid" in splits else 0
    arrays = {name: content[name] for name in content.files if name not in ("hp", "hp_names", "splits")}
    return {name: array[:, split, :].astype(float) for name, array in arrays.items() if array.ndim == 3}
