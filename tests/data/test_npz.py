"""NumPy archives: the usual names are understood, what cannot be right is named, nothing is unpickled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.files import encoding_of, pictures, prepared, save_npz
from tunesmith.errors import DataError

X = np.arange(40 * 6, dtype=np.float32).reshape(40, 3, 2)
Y = np.arange(40) % 2


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("X", "Y"), ("images", "labels"), ("data", "target")])
def test_examples_and_labels_go_by_their_usual_names(tmp_path: Path, x: str, y: str):
    assert prepared(tmp_path, save_npz(tmp_path, **{x: X, y: Y})).info.sizes == {"train": 24, "validation": 8, "test": 8}


@pytest.mark.parametrize(
    "names", [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")]
)
def test_a_test_split_of_the_source_is_kept(tmp_path: Path, names: tuple[str, ...]):
    test = X[:10] + 0.5
    data = prepared(tmp_path, save_npz(tmp_path, **dict(zip(names, (X, Y, test, Y[:10]), strict=True))))
    assert data.info.sizes == {"train": 30, "validation": 10, "test": 10}
    x, y = data.split("test")
    assert np.array_equal(x, test[..., None])
    assert np.array_equal(y, Y[:10])
    assert data.info.statistics["split"] == "kept as the source has it: test, train"


def test_a_validation_split_of_the_source_is_kept(tmp_path: Path):
    data = prepared(tmp_path, save_npz(tmp_path, x_train=X, y_train=Y, x_val=X[:6] + 0.5, y_val=Y[:6]))
    assert data.info.sizes == {"train": 31, "validation": 6, "test": 9}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_pixels_keep_their_type_and_get_a_channel(tmp_path: Path, dtype: str):
    x, _ = prepared(tmp_path, save_npz(tmp_path, x=X.astype(dtype), y=Y)).split("train")
    assert (x.dtype, x.shape) == (np.dtype(dtype), (24, 3, 2, 1))


def test_labels_in_a_column_are_labels(tmp_path: Path):
    assert prepared(tmp_path, save_npz(tmp_path, x=X, y=Y[:, None])).info.classes == ("0", "1")


def test_many_class_indices_of_images_are_classes(tmp_path: Path):
    assert prepared(tmp_path, save_npz(tmp_path, **pictures(200, classes=40))).info.task == "classification"


def test_two_axes_make_a_table(tmp_path: Path):
    x = X.reshape(40, 6).copy()
    x[::9, 2] = np.nan
    data = prepared(tmp_path, save_npz(tmp_path, x=x, y=Y))
    assert (data.info.kind, data.info.target) == ("table", "y")
    assert encoding_of(data).features == ["x0", "x1", "x2", "x2 missing", "x3", "x4", "x5"]


def test_pickled_objects_are_refused(tmp_path: Path):
    path = save_npz(tmp_path, x=X, y=np.array([{"a": 1}] * 40, dtype=object))
    with pytest.raises(DataError, match="holds pickled Python objects, which are never loaded"):
        prepared(tmp_path, path)


@pytest.mark.parametrize("content", [b"no zip at all", b"PK\x03\x04cut"])
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "arrays.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"arrays.npz: (cannot be read as an .npz file|holds pickled)"):
        prepared(tmp_path, str(tmp_path / "arrays.npz"))


def test_a_cut_off_archive_is_named(tmp_path: Path):
    path = Path(save_npz(tmp_path, x=X, y=Y))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match=r"cannot be read as an .npz file, it may be damaged or cut off"):
        prepared(tmp_path, str(path))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": X, "b": Y}, "holds the arrays a, b; needs x and y, or x_train"),
        ({"x": X}, "holds x; needs one array of examples and one of labels"),
        ({"x": X, "images": X, "y": Y}, "holds x, images, y; needs one array"),
        ({"x": X, "y": Y, "x_train": X, "y_train": Y}, "holds the arrays .*; needs"),
        ({"x_test": X, "y_test": Y}, "needs x and y, or x_train"),
        ({"x": X, "y": Y[:-1]}, "y holds 39 labels for 40 examples"),
        ({"x": X[:, 0, 0], "y": Y}, r"x has shape \(40,\); needs"),
        ({"x": X.reshape(40, 1, 3, 2, 1), "y": Y}, r"x has shape \(40, 1, 3, 2, 1\); needs"),
        ({"x": np.zeros((40, 3, 32, 32)), "y": Y}, r"x has shape \(40, 3, 32, 32\), which looks like channels first"),
        ({"x": X[:0], "y": Y[:0]}, "holds no examples"),
        ({"x": X.astype(str), "y": Y}, "x has type <U32; needs numbers"),
        ({"x": X, "y": np.eye(2)[Y]}, r"y has shape \(40, 2\).*for one-hot labels save y.argmax"),
        (
            {"x": X, "y": Y + 0.5},
            r"40 labels are no whole numbers, such as 0.5: labels y\[0\], y\[1\].*needs data.task: regression",
        ),
        ({"x": X, "y": np.where(Y, np.nan, 1.0)}, r"20 of 40 labels are missing: labels y\[1\], y\[3\]"),
        (
            {"x": np.where(X == 8, np.nan, X), "y": Y},
            r"1 of 40 images hold NaN, infinite or too large pixels: the images of label y\[1\]",
        ),
        ({"x": (X + 1).astype(np.float64) * 1e300, "y": Y}, "40 of 40 images hold NaN, infinite or too large pixels"),
        ({"x": np.ones_like(X), "y": Y}, "all pixels of the training split are 1"),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y},
            r"examples of different shapes: .*\(3, 2, 1\).*\(2, 2, 1\)",
        ),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1}, r"too few examples of class '2' \(0; labels y_test\[1\]"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y.astype(str)}, "numbers in one split and texts in another"),
    ],
)
def test_arrays_that_cannot_be_right_are_named(tmp_path: Path, arrays: dict[str, Any], message: str):
    with pytest.raises(DataError, match=message):
        prepared(tmp_path, save_npz(tmp_path, **arrays))


def test_images_have_no_target_column(tmp_path: Path):
    with pytest.raises(DataError, match=r"data.target: got 'x'; these are images"):
        prepared(tmp_path, save_npz(tmp_path, x=X, y=Y), target="x")


def test_images_can_have_a_regression(tmp_path: Path):
    assert prepared(tmp_path, save_npz(tmp_path, x=X, y=Y + 0.5), task="regression").info.task == "regression"
