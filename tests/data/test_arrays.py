"""Arrays that a program holds become a data set in the split it has made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.data.arrays import prepare_arrays
from tunesmith.data.dataset import Dataset
from tunesmith.errors import DataError

X = np.arange(60.0).reshape(10, 3, 2)
Y = np.arange(10) % 2


def test_images_stay_as_they_are(tmp_path: Path):
    info = prepare_arrays(X, Y, X[:4], Y[:4], folder=tmp_path / "dataset")
    x, y = Dataset.load(tmp_path / "dataset").split("validation")
    assert (info.kind, info.sizes, info.classes) == ("images", {"train": 10, "validation": 4}, ("0", "1"))
    assert np.array_equal(x[..., 0], X[:4])
    assert np.array_equal(y, Y[:4])


def test_columns_stay_as_they_are(tmp_path: Path):
    table = X.reshape(10, 6) * 1e6
    prepare_arrays(table.tolist(), Y.tolist(), table[:4], Y[:4], folder=tmp_path / "dataset")
    data = Dataset.load(tmp_path / "dataset")
    assert np.array_equal(data.split("train")[0], table)
    assert data.encoding is not None
    assert np.array_equal(data.encoding.encode({f"x{i}": table[:, i] for i in range(6)}), table)


@pytest.mark.parametrize(
    ("y", "task"),
    [(Y / 3, "regression"), (np.array(list("abababcacb")), "classification"), (np.arange(10) * 1e4 + 0.5, "regression")],
)
def test_the_labels_decide_the_task(tmp_path: Path, y: np.ndarray, task: str):
    assert prepare_arrays(X, y, X, y, folder=tmp_path / "dataset").task == task


def test_there_is_no_test_split(tmp_path: Path):
    prepare_arrays(X, Y, X, Y, folder=tmp_path / "dataset")
    with pytest.raises(DataError, match="has no split 'test'; it has: train, validation"):
        Dataset.load(tmp_path / "dataset").split("test")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((X, Y), "data: got 2 arrays; needs x_train, y_train, x_validation, y_validation"),
        ((X, Y, X, Y[:-1]), "data: y_validation holds 9 labels for 10 examples"),
        ((X, Y, X[:0], Y[:0]), "validation holds no examples"),
        ((X, Y, X, Y + 1), r"class '2' \(0; labels y_validation\[1\]"),
        ((X[:, 0] * np.nan, Y, X[:, 0], Y), "10 examples hold NaN or infinite numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path: Path, arrays: tuple[Any, ...], message: str):
    with pytest.raises(DataError, match=message):
        prepare_arrays(*arrays, folder=tmp_path / "dataset")
