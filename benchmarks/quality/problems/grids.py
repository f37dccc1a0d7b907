"""Full grids of settings: an NPZ with `grid_json` (the axes' values in order) and one array an instance, its last axis runs.

Numbers become whole numbers that count the grid's values, so their order is known, texts categories. A query is answered by the
mean of the runs; the problem `...-noisy` sees one of them and is judged by the mean.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from folder import read_each
from quality.problem import Knob, Problem, TrialFailed
from tunesmith.spaces._distributions import Choice, Int
from tunesmith.spaces._space import Candidate

# What is measured is not in the file: it goes with the axes.
ERRORS = {"init_lr", "lr_schedule"}
SCORES = {"learning_rate_init", "alpha"}


def find(data: Path | None, shift: int) -> Iterator[Problem]:
    """Yield the problems of all such tables in the folder; the shift is for made problems."""
    del shift
    yield from read_each(data, (".npz",), _of_file)


def _of_file(file: Path) -> Iterator[Problem]:
    with np.load(file) as content:
        names = [name for name in content.files if name != "grid_json"]
        axes = json.loads(str(content["grid_json"])) if "grid_json" in content.files else None
    if axes is None:
        return
    kind = "fcnet" if set(axes) >= ERRORS else "mlp" if set(axes) >= SCORES else file.name.split(".")[0]
    for place, name in enumerate(sorted(names)):
        yield from _problems(file, axes, f"{kind}-{name}", name, place == 0)


def _problems(file: Path, axes: dict[str, list[Any]], title: str, name: str, usual: bool) -> Iterator[Problem]:
    knobs = tuple(_knob(axis, values) for axis, values in axes.items())
    runs = _losses(file, name, set(axes) >= ERRORS)
    # A setting that failed once has no mean.
    mean = runs.mean(axis=-1)
    place = np.unravel_index(np.nanargmin(np.where(np.isfinite(mean), mean, np.nan)), mean.shape)
    optimum = {knob.name: knob.distribution.value_at(int(index)) for knob, index in zip(knobs, place, strict=True)}

    def at(candidate: Mapping[str, Any]) -> tuple[int, ...]:
        return tuple(knob.choices.index(candidate[knob.name]) if knob.choices else candidate[knob.name] for knob in knobs)

    def loss(candidate: Candidate) -> float:
        value = float(mean[at(candidate)])
        if not np.isfinite(value):
            raise TrialFailed("diverged")
        return value

    best = float(mean[place])
    yield Problem(title, "mixed", knobs, loss, best, optimum, usual=usual)
    if runs.shape[-1] > 1:

        def observe(candidate: Candidate, rng: np.random.Generator) -> float:
            return float(rng.choice(runs[at(candidate)]))

        yield Problem(f"{title}-noisy", "mixed", knobs, loss, best, optimum, observe)


def _knob(name: str, values: list[Any]) -> Knob:
    """A number on three places or more has an order worth knowing."""
    if len(values) < 3 or any(isinstance(value, str | bool) for value in values):
        return Knob(name, Choice(tuple(str(value) for value in values)))
    return Knob(name, Int(0, len(values) - 1))


@lru_cache(maxsize=16)
def _losses(file: Path, name: str, errors: bool) -> np.ndarray:
    """Return losses, shape (*axes, runs): errors as they are, scores turned around."""
    with np.load(file) as content:
        values = content[name].astype(float)
    if errors:
        return values
    return 1 - values if np.nanmin(values) >= 0 and np.nanmax(values) <= 1 else values
