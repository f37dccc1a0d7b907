"""Makes images or a table of arrays of examples and labels, whoever holds them."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

import numpy as np

from tunesmith.data.sources._source import Places, RawImages, RawTable, check_some
from tunesmith.errors import DataError

# The name of the labels, the examples, the labels.
Part = tuple[str, np.ndarray, np.ndarray]


def join_parts(parts: Mapping[str, Part]) -> RawTable | RawImages:
    """Join parts, each (name of its labels, x, y), by the split they belong to; "" means not split yet.

    Raises DataError for shapes, types and lengths that make no images or table.
    """
    checked = {split: (name, _check_x(x, split), _check_y(y, name, len(x))) for split, (name, x, y) in parts.items()}
    shapes = {split: x.shape[1:] for split, (_, x, _) in checked.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(f"the splits hold examples of different shapes: {shapes}")
    x = np.concatenate([x for _, x, _ in checked.values()])
    y = _join_labels([y for _, _, y in checked.values()])
    check_some(len(x))
    places = _places([(name, len(x)) for name, x, _ in checked.values()])
    assigned = None if "" in parts else np.concatenate([np.full(len(x), split, "<U10") for split, (_, x, _) in checked.items()])
    if x.ndim == 2:
        return RawTable({**{f"x{i}": column for i, column in enumerate(x.T)}, "y": y}, places, assigned)
    _check_pixels(x, places)
    return RawImages(x, y, places, assigned)


def _check_x(x: np.ndarray, split: str) -> np.ndarray:
    """Return images as (n, height, width, channels), a table as float64 of shape (n, columns)."""
    name = f"x of {split}" if split else "x"
    if x.dtype.kind not in "fiub":
        raise DataError(f"{name} has type {x.dtype}; needs numbers")
    if x.ndim not in (2, 3, 4) or 0 in x.shape[1:]:
        needed = "(n, height, width) or (n, height, width, channels) for images, (n, columns) for a table"
        raise DataError(f"{name} has shape {x.shape}; needs {needed}")
    if x.ndim == 2:
        return x.astype(np.float64)
    x = x[..., None] if x.ndim == 3 else x
    if x.shape[1] in (1, 3) and x.shape[3] > 4:
        raise DataError(f"{name} has shape {x.shape}, which looks like channels first; needs (n, height, width, channels)")
    return x.astype(np.uint8) if x.dtype == bool else x


def _check_y(y: np.ndarray, name: str, examples: int) -> np.ndarray:
    """Return labels of shape (n,): float64 or texts."""
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        hint = "; for one-hot labels save y.argmax(axis=1)" if y.ndim == 2 else ""
        raise DataError(f"{name} has shape {y.shape}; needs one label per example{hint}")
    if len(y) != examples:
        raise DataError(f"{name} holds {len(y):,} labels for {examples:,} examples")
    if y.dtype.kind not in "fiubU":
        raise DataError(f"{name} has type {y.dtype}; needs numbers or texts")
    return y.astype(object) if y.dtype.kind == "U" else y.astype(np.float64)


def _join_labels(labels: list[np.ndarray]) -> np.ndarray:
    if len({y.dtype for y in labels}) > 1:
        raise DataError("labels are numbers in one split and texts in another")
    return np.concatenate(labels)


def _check_pixels(x: np.ndarray, places: Places) -> None:
    """Raise DataError naming the images with pixels that are not finite as float32, in which networks compute."""
    if x.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        bad = np.flatnonzero([not np.isfinite(image.astype(np.float32)).all() for image in x])
    if len(bad):
        raise DataError(
            f"{len(bad):,} of {len(x):,} images hold NaN, infinite or too large pixels: the images of {places.name(bad)}"
        )


def _places(parts: list[tuple[str, int]]) -> Places:
    """Name examples by their array and position, as in y_test[3]."""
    starts = [0, *accumulate(count for _, count in parts)]

    def name_of(example: int) -> str:
        part = bisect_right(starts, example) - 1
        return f"{parts[part][0]}[{example - starts[part]}]"

    return Places("label", name_of)
