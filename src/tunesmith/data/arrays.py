"""Prepares arrays that a program holds already, in the split it has made; nothing is encoded."""

from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.data.encoding import Column, TableEncoding
from tunesmith.data.info import DatasetInfo, Task
from tunesmith.data.labels import Labels, look_like_classes, read_labels
from tunesmith.data.prepared import Prepared, Settings, describe
from tunesmith.data.sources._arrays import join_parts
from tunesmith.data.sources._source import RawImages, RawTable
from tunesmith.data.splits import Rows, Shares, check_classes
from tunesmith.data.statistics import pixel_statistics
from tunesmith.errors import DataError

NAMES = ("x_train", "y_train", "x_validation", "y_validation")
SETTINGS = Settings("arrays", "auto", None, Shares(0.0, 0.0, 0))


def prepare_arrays(*arrays: Any, folder: Path) -> DatasetInfo:
    """Write x_train, y_train, x_validation, y_validation into `folder` as a data set without a test split.

    x: images (n, height, width[, channels]), or numbers (n, columns), which a model takes as they are; y: one label each.
    Texts, few different whole numbers, and whole numbers from 0 with none left out make a classification, others a regression.
    Raises DataError for arrays that do not fit each other.
    """
    if len(arrays) != len(NAMES):
        raise DataError(f"data: got {len(arrays)} arrays; needs {', '.join(NAMES)}")
    x_train, y_train, x_validation, y_validation = (np.asarray(array) for array in arrays)
    try:
        raw = join_parts({"train": ("y_train", x_train, y_train), "validation": ("y_validation", x_validation, y_validation)})
        made = _prepare(raw)
    except DataError as error:
        raise DataError(f"data: {error}") from None
    return made.write(folder)


def _prepare(raw: RawTable | RawImages) -> Prepared:
    images = isinstance(raw, RawImages)
    given = raw.labels if images else raw.columns["y"]
    labels = read_labels(given, _task_of(given), raw.places)
    assert raw.assigned is not None
    rows = {split: np.flatnonzero(raw.assigned == split) for split in ("train", "validation")}
    for split, chosen in rows.items():
        if not len(chosen):
            raise DataError(f"{split} holds no examples")
    check_classes(labels, rows["train"], 1, raw.places)
    return _images(raw, labels, rows) if images else _table(raw, labels, rows)


def _task_of(labels: np.ndarray) -> Task:
    numeric = labels.dtype.kind == "f"
    return "regression" if numeric and not look_like_classes(labels, indices=True) else "classification"


def _images(raw: RawImages, labels: Labels, rows: Rows) -> Prepared:
    x = {split: raw.images[chosen] for split, chosen in rows.items()}
    return describe(
        "images", labels, rows, x, SETTINGS, {"images": raw.images, "assigned": raw.assigned}, pixel_statistics(x["train"])
    )


def _table(raw: RawTable, labels: Labels, rows: Rows) -> Prepared:
    """Take the columns as features. The encoding written beside them changes nothing."""
    columns = {name: values for name, values in raw.columns.items() if name != "y"}
    whole = np.column_stack(list(columns.values())).astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(whole).all(axis=1))
    if len(bad):
        raise DataError(f"{len(bad):,} examples hold NaN or infinite numbers: the examples of {raw.places.name(bad)}")
    encoding = TableEncoding(tuple(Column(name, "numeric") for name in columns), limit=float(np.finfo(np.float32).max))
    x = {split: whole[chosen] for split, chosen in rows.items()}
    made = describe("table", labels, rows, x, SETTINGS, {**columns, "assigned": raw.assigned}, {"dropped": {}})
    return Prepared(made.info, made.x, made.y, encoding)
