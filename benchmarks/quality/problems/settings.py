"""Tables of random settings (learning curves, surrogates' answers): a query is answered by the nearest setting of the table.

Nearest in the unit cube, among the settings with the same active parameters; so the best of the table is the best there is.
Recognised by `hp` with `hp_names` (LCBench: `instances` and `val_acc_x100`; TaskSet: an array an instance, its last axis a
learning curve) or by `hp__*` columns with `instances`, `metrics` and `values` (YAHPO; NaN: inactive). Losses are those at the
curves' ends, of the largest share of the data, in the first metric.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from folder import read_each
from quality.problem import Knob, Problem, TrialFailed
from quality.problems._columns import Columns, read_columns
from tunesmith.spaces._space import Candidate

RISING = ("acc", "auc", "bac", "f1")
# Known by what their settings are called.
TITLES = {"linear_decay": "taskset", "max_dropout": "lcbench", "booster": "xgboost", "s": "glmnet"}
# Two parameters are soon searched.
UNUSUAL = ("glmnet",)


def find(data: Path | None, shift: int) -> Iterator[Problem]:
    """Yield the problems of all such tables in the folder; the shift is for made problems."""
    del shift
    yield from read_each(data, (".npz",), _of_file)


def _of_file(file: Path) -> Iterator[Problem]:
    table = _read(file)
    if not table.losses:
        return
    title = next((title for name, title in TITLES.items() if name in table.hp), file.name.split(".")[0])
    columns = read_columns(table.hp)
    for place, (name, losses) in enumerate(sorted(table.losses.items())):
        yield _problem(f"{title}-{name}", columns, losses, place == 0 and title not in UNUSUAL)


@dataclass(frozen=True)
class Table:
    """A file's settings by column and its losses by instance, shape (settings,), not finite for failures."""

    hp: Mapping[str, np.ndarray]
    losses: Mapping[str, np.ndarray]


def _read(file: Path) -> Table:
    """Return the table in a file, an empty one where it has none of the forms."""
    with np.load(file) as content:
        names = set(content.files)
        if names >= {"instances", "metrics", "values"}:
            return _yahpo(content)
        if names >= {"hp", "hp_names"}:
            hp = dict(zip(content["hp_names"].tolist(), content["hp"].T, strict=True))
            return Table(hp, _lcbench(content) if "val_acc_x100" in names else _curves(content))
    return Table({}, {})


def _yahpo(content: Any) -> Table:
    hp = {name.removeprefix("hp__"): content[name] for name in content.files if name.startswith("hp__")}
    metric = str(content["metrics"][0])
    values = content["values"][:, :, -1, 0].astype(float)
    losses = 1 - values if metric in RISING else values
    return Table(hp, dict(zip(content["instances"].tolist(), losses, strict=True)))


def _lcbench(content: Any) -> dict[str, np.ndarray]:
    losses = 100 - content["val_acc_x100"][:, :, -1] / 100
    return dict(zip(content["instances"].tolist(), losses, strict=True))


def _curves(content: Any) -> dict[str, np.ndarray]:
    splits = content["splits"].tolist() if "splits" in content.files else []
    split = splits.index("valid") if "valid" in splits else 0
    others = [name for name in content.files if name not in ("hp", "hp_names", "splits")]
    arrays = {name: content[name] for name in others}
    return {name: (array[:, split] if array.ndim == 3 else array)[:, -1].astype(float) for name, array in arrays.items()}


def _problem(name: str, columns: Columns, losses: np.ndarray, usual: bool) -> Problem:
    best = int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))

    def loss(candidate: Candidate) -> float:
        value = float(losses[columns.nearest(candidate)])
        if not np.isfinite(value):
            raise TrialFailed("diverged")
        return value

    group = "continuous" if all(_is_number(knob) for knob in columns.knobs) else "mixed"
    return Problem(name, group, columns.knobs, loss, float(losses[best]), columns.rows[best], usual=usual)


def _is_number(knob: Knob) -> bool:
    return not knob.choices and not knob.whole and not knob.parent
