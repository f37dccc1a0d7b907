"""Prepares tables: finds the label and the columns' types, splits the rows, fits the encoding to the training split."""

from dataclasses import replace
from typing import Any

import numpy as np

from tunesmith.data.columns import Typed, find_target, take_split_column, type_column
from tunesmith.data.fitting import Fitted, fit_encoding
from tunesmith.data.labels import Labels, read_labels
from tunesmith.data.prepared import Prepared, Settings, describe
from tunesmith.data.sources._source import RawTable
from tunesmith.data.splits import split_rows
from tunesmith.data.statistics import column_summary
from tunesmith.errors import DataError


def prepare_table(raw: RawTable, settings: Settings) -> Prepared:
    """Return the split and encoded rows; raises DataError for labels or columns that cannot be learnt from."""
    target = find_target(raw, settings.target)
    raw, assigned = take_split_column(raw, target)
    labels = _labels(raw, target, settings)
    features = {name: values for name, values in raw.columns.items() if name != target}
    rows = split_rows(labels, settings.shares, raw.places, assigned, features)
    typed = {name: type_column(name, values, raw.places) for name, values in features.items()}
    columns = {name: column.values for name, column in typed.items()}
    fitted = fit_encoding(columns, rows["train"])
    x = {
        split: fitted.encoding.encode({name: values[chosen] for name, values in columns.items()})
        for split, chosen in rows.items()
    }
    statistics = _statistics(raw, typed, fitted, assigned)
    made = describe("table", labels, rows, x, settings, {**columns, "assigned": assigned}, statistics)
    test = {column.name: _raw_values(columns[column.name][rows["test"]]) for column in fitted.encoding.columns}
    return replace(made, info=replace(made.info, target=target), encoding=fitted.encoding, raw=test)


def _labels(raw: RawTable, target: str, settings: Settings) -> Labels:
    """Read the label's column: numbers where all of its texts are some, else texts; slips among numbers raise DataError."""
    values = raw.columns[target]
    typed = type_column(target, values, raw.places)
    if not len(typed.slips):
        return read_labels(typed.values, settings.task, raw.places)
    if settings.task == "classification":
        return read_labels(values, settings.task, raw.places)
    slips = f"{len(typed.slips):,} of {len(values):,} labels are no numbers, such as {values[typed.slips[0]]!r}"
    raise DataError(f"{slips}: {raw.places.name(typed.slips)}; if they are classes, say so with data.task: classification")


def _raw_values(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def _statistics(raw: RawTable, typed: dict[str, Typed], fitted: Fitted, assigned: np.ndarray | None) -> dict[str, Any]:
    warnings = [
        f"column {name!r}: {len(column.slips):,} of {len(column.values):,} values are no numbers and count as missing, "
        f"such as {raw.columns[name][column.slips[0]]!r}: {raw.places.name(column.slips)}"
        for name, column in typed.items()
        if len(column.slips)
    ]
    found: dict[str, Any] = {
        "columns": {name: column_summary(column.values) for name, column in typed.items() if name not in fitted.dropped},
        "dropped": fitted.dropped,
        "features": fitted.encoding.features,
        "warnings": warnings,
    }
    if assigned is not None:
        origin = "the source has it" if raw.assigned is not None else "the column 'split' says"
        found["split"] = f"kept as {origin}: {', '.join(sorted(set(assigned.tolist())))}"
    return found
