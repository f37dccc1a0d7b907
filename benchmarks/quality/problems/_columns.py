"""Columns of random settings: what parameters they were drawn from, and which setting is nearest to a candidate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quality.problem import Knob, to_unit
from tunesmith.spaces._distributions import Choice, Distribution, Int, LogInt, LogUniform, Uniform
from tunesmith.spaces._space import Candidate

COMPLEMENT = "1-"


@dataclass(frozen=True)
class Columns:
    """Settings as knobs and as candidates; `units`: their places in the unit cube, shape (settings, knobs), NaN: inactive."""

    knobs: tuple[Knob, ...]
    rows: tuple[Candidate, ...]
    units: np.ndarray

    def nearest(self, candidate: Candidate) -> int:
        """Return the row nearest in the unit cube among those with the same active parameters; categories come first."""
        here = to_unit(self.knobs, candidate)
        gaps = np.abs(self.units - here)
        same = (np.isnan(self.units) == np.isnan(here)).all(axis=1)
        categories = np.array([bool(knob.choices) for knob in self.knobs])
        gaps = np.where(categories, len(self.knobs) * (gaps > 0), gaps)
        distance = np.nansum(gaps**2, axis=1)
        return int(np.argmin(np.where(same, distance, np.inf)))


def read_columns(columns: Mapping[str, np.ndarray]) -> Columns:
    """Return the settings of equally long columns, of numbers (NaN: inactive) or texts; constant ones are left out.

    Raises ValueError for a column that is inactive now and then, and no category tells when.
    """
    texts = {name: _texts(column) for name, column in columns.items() if column.dtype.kind in "US"}
    numbers = {name: column.astype(float) for name, column in columns.items() if name not in texts}
    texts = {name: column for name, column in texts.items() if len(set(column.tolist()) - {""}) > 1}
    knobs = [Knob(name, Choice(_options(column)), *_condition(name, column != "", texts)) for name, column in texts.items()]
    shown = dict(texts)
    for name, column in numbers.items():
        if np.nanmin(column) == np.nanmax(column):
            continue
        distribution, complement = _distribution(column)
        label = COMPLEMENT + name if complement else name
        shown[label] = 1 - column if complement else column
        knobs.append(Knob(label, distribution, *_condition(name, np.isfinite(column), texts)))
    knobs = _outermost_first(knobs)
    rows = tuple(_row(knobs, shown, index) for index in range(len(next(iter(shown.values())))))
    return Columns(tuple(knobs), rows, np.array([to_unit(knobs, row) for row in rows]))


def _texts(column: np.ndarray) -> np.ndarray:
    """Return texts, empty where inactive."""
    plain = column.astype(str)
    return np.where(np.isin(plain, ("nan", "NA", "None")), "", plain)


def _options(column: np.ndarray) -> tuple[str, ...]:
    return tuple(sorted(set(column.tolist()) - {""}))


def _outermost_first(knobs: Sequence[Knob]) -> list[Knob]:
    """Return the knobs, each behind the one that decides about it."""
    parents = {knob.name: knob.parent for knob in knobs}

    def depth(name: str) -> int:
        return 1 + depth(parents[name]) if parents[name] else 0

    return sorted(knobs, key=lambda knob: depth(knob.name))


def _row(knobs: Sequence[Knob], columns: Mapping[str, np.ndarray], index: int) -> Candidate:
    """Return the setting's active values, whole numbers as such, all within their range."""
    row = {}
    for knob in knobs:
        value = columns[knob.name][index]
        if knob.choices:
            if value:
                row[knob.name] = str(value)
        elif np.isfinite(value):
            row[knob.name] = int(value) if knob.whole else float(np.clip(value, *knob.ends))
    return row


def _condition(name: str, active: np.ndarray, texts: Mapping[str, np.ndarray]) -> tuple[str, tuple[str, ...]]:
    """Return the category that decides when a column is active, and under which options; nothing for one that always is."""
    if active.all():
        return "", ()
    for other, category in texts.items():
        under = sorted(set(category[active].tolist()))
        if other != name and (np.isin(category, under) == active).all():
            return other, tuple(under)
    raise ValueError(f"{name} is inactive now and then, and no category tells when")


def _distribution(column: np.ndarray) -> tuple[Distribution, bool]:
    """Return the distribution that a column looks drawn from, and whether it is that of 1 - column."""
    values = np.sort(column[np.isfinite(column)])
    low, high = float(values[0]), float(values[-1])
    whole = bool((values == np.round(values)).all())
    forms = {"plain": values}
    if low > 0:
        forms["log"] = np.log(values)
    if high < 1 and not whole:
        forms["complement"] = np.log(1 - values)[::-1]
    # The one in which they lie most evenly.
    form = min(forms, key=lambda name: _unevenness(forms[name]))
    if whole:
        return (LogInt if form == "log" else Int)(low, high), False
    if form == "complement":
        return LogUniform(1 - high, 1 - low), True
    return (LogUniform if form == "log" else Uniform)(low, high), False


def _unevenness(values: np.ndarray) -> float:
    """Return the largest gap between the values' shares and those of even ones, from 0."""
    places = (values - values[0]) / (values[-1] - values[0])
    return float(np.max(np.abs(places - np.linspace(0, 1, len(places)))))
