"""NumPy archives: images, or a table of numbers where x has two axes. Pickled objects are never loaded."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np

from tunesmith.data.sources._arrays import Part, join_parts
from tunesmith.data.sources._source import RawImages, RawTable, Source
from tunesmith.data.words import listed
from tunesmith.errors import DataError

X_WORDS = ("x", "X", "images", "data")
Y_WORDS = ("y", "Y", "labels", "label", "targets", "target")
SPLIT_WORDS = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}
EXPECTED = "x and y, or x_train, y_train and, if there is one, x_test, y_test"


@dataclass(frozen=True)
class Npz(Source):
    """`.npz` with x and y, or with x_train, y_train and the same for test and validation; such splits are kept."""

    takes: ClassVar[str] = ".npz"

    def handles(self, uri: str) -> bool:
        return uri.endswith(".npz")

    def read(self, path: Path) -> RawTable | RawImages:
        arrays = _read_arrays(path)
        parts = {split: _part(arrays, split) for split in SPLIT_WORDS}
        found = {split: part for split, part in parts.items() if part}
        whole = _pair(arrays, X_WORDS, Y_WORDS)
        if (whole is None) == ("train" not in found):
            raise DataError(f"holds the arrays {listed(list(arrays)) or '(none)'}; needs {EXPECTED}")
        return join_parts({"": whole} if whole else found)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            names = list(file.files)
            wanted = {name: file[name] for name in names if _is_wanted(name)}
    except Exception as error:  # a damaged zip file fails in as many ways as it has bytes
        if "allow_pickle" in str(error):
            raise DataError("holds pickled Python objects, which are never loaded; save plain arrays of numbers") from None
        raise DataError(
            f"cannot be read as an .npz file, it may be damaged or cut off ({error or type(error).__name__})"
        ) from None
    if not wanted:
        raise DataError(f"holds the arrays {listed(names) or '(none)'}; needs {EXPECTED}")
    return wanted


def _is_wanted(name: str) -> bool:
    splits = [word for words in SPLIT_WORDS.values() for word in words]
    return name in {key for stem in (*X_WORDS, *Y_WORDS) for key in (stem, *_keys((stem,), splits))}


def _keys(stems: tuple[str, ...], splits: list[str]) -> list[str]:
    """Return the usual names of an array of a split: x_train, train_x, ..."""
    return [key for stem, split in product(stems, splits) for key in (f"{stem}_{split}", f"{split}_{stem}")]


def _part(arrays: dict[str, np.ndarray], split: str) -> Part | None:
    words = list(SPLIT_WORDS[split])
    return _pair(arrays, tuple(_keys(X_WORDS, words)), tuple(_keys(Y_WORDS, words)))


def _pair(arrays: dict[str, np.ndarray], x_names: tuple[str, ...], y_names: tuple[str, ...]) -> Part | None:
    x = [name for name in x_names if name in arrays]
    y = [name for name in y_names if name in arrays]
    if len(x) > 1 or len(y) > 1 or len(x) != len(y):
        raise DataError(f"holds {', '.join(x + y)}; needs one array of examples and one of labels ({EXPECTED})")
    return (y[0], arrays[x[0]], arrays[y[0]]) if x else None
