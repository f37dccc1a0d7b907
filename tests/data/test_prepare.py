"""Preparing writes the agreed folder for every kind of source, whole or not at all."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.files import csv_text, people, pictures, prepared, save_npz, write_csv
from tunesmith.data.dataset import Dataset
from tunesmith.data.info import DatasetInfo
from tunesmith.data.prepare import prepare
from tunesmith.data.sources._source import Source
from tunesmith.errors import DataError
from tunesmith.registry import build, discover, load
from tunesmith.sections import DataSpec

HEADER = "age,city,label"


@pytest.fixture
def table(tmp_path: Path) -> str:
    return write_csv(tmp_path, csv_text(HEADER, people()))


def numbers_in(content: Any) -> list[float]:
    if isinstance(content, dict | list):
        return [number for item in (content.values() if isinstance(content, dict) else content) for number in numbers_in(item)]
    return [content] if isinstance(content, int | float) else []


@pytest.mark.parametrize("name", discover("tunesmith.data.sources"))
def test_every_source_says_what_it_takes(name: str):
    source = load("tunesmith.data.sources", name, Source)
    assert source.takes
    assert not build("tunesmith.data.sources", name, Source, {}, "source").handles("notes.docx")


def test_digits_are_raw_pixels_split_60_20_20(tmp_path: Path):
    data = prepared(tmp_path, "digits")
    assert (data.info.kind, data.info.task, data.info.target) == ("images", "classification", "label")
    assert data.info.input_shape == (8, 8, 1)
    assert data.info.classes == tuple("0123456789")
    assert data.info.sizes == {"train": 1079, "validation": 359, "test": 359}
    x, y = data.split("train")
    assert x.shape == (1079, 8, 8, 1)
    assert y.dtype == np.int64
    assert (x.min(), x.max()) == (0, 16)
    assert data.encoding is None


def test_pixel_statistics_are_those_of_the_training_split(tmp_path: Path):
    data = prepared(tmp_path, "digits")
    x, _ = data.split("train")
    assert data.info.statistics["pixel_mean"] == pytest.approx(x.mean())
    assert data.info.statistics["pixel_deviation"] == pytest.approx(x.std())


def test_a_table_is_encoded_and_keeps_the_raw_rows_of_its_test_split(tmp_path: Path, table: str):
    data = prepared(tmp_path, table)
    assert data.encoding is not None
    assert data.encoding.features == ["age", "age missing", "city=Bonn", "city=Köln", "city=Ulm"]
    x, y = data.split("test")
    raw = data.raw("test")
    assert {name: values.dtype.kind for name, values in raw.items()} == {"age": "f", "city": "U"}
    assert np.array_equal(data.encoding.encode(raw), x)
    assert x.dtype == np.float32
    assert set(y.tolist()) == {0, 1}


def test_a_table_is_standardised_by_its_training_split(tmp_path: Path, table: str):
    data = prepared(tmp_path, table)
    x, _ = data.split("train")
    known = x[x[:, 1] == 0, 0]
    assert known.mean() == pytest.approx(0, abs=1e-6)
    assert known.std() == pytest.approx(1, abs=1e-6)


def test_raw_rows_of_other_splits_are_not_kept(tmp_path: Path, table: str):
    with pytest.raises(DataError, match="no raw columns of split 'train'"):
        prepared(tmp_path, table).raw("train")


def test_a_regression_keeps_the_targets_units_and_tells_their_scale(tmp_path: Path):
    rows = [f"{i % 7},{1e5 + 10 * i + 0.5}" for i in range(50)]
    data = prepared(tmp_path, write_csv(tmp_path, csv_text("rooms,price", rows)), target="price")
    _, y = data.split("train")
    assert (data.info.task, data.info.classes, data.info.outputs, data.info.target) == ("regression", (), 1, "price")
    assert y.dtype == np.float32
    assert data.info.target_scale == pytest.approx((y.mean(), y.std()), rel=1e-5)


def test_the_description_is_plain_json_without_nan(tmp_path: Path, table: str):
    data = prepared(tmp_path, table)
    content = json.loads((data.folder / "dataset.json").read_text())
    assert all(math.isfinite(number) for number in numbers_in(content))
    assert content["statistics"]["classes"]["test"] == {"no": 6, "yes": 6}
    assert content["statistics"]["columns"]["age"]["missing"] == 6
    assert DatasetInfo.load(data.folder) == data.info


def test_a_relative_uri_begins_at_the_base(tmp_path: Path, table: str):
    assert prepare(DataSpec(uri="table.csv"), tmp_path / "dataset", tmp_path).source == "table.csv"


def test_a_file_address_is_a_path(tmp_path: Path):
    path = write_csv(tmp_path, csv_text(HEADER, people()), "my table.csv")
    assert prepared(tmp_path, "file://" + path.replace(" ", "%20")).info.kind == "table"


def test_an_earlier_data_set_is_replaced(tmp_path: Path, table: str):
    prepared(tmp_path, table)
    data = prepared(tmp_path, "digits")
    assert sorted(path.name for path in data.folder.iterdir()) == [
        "dataset.json",
        *[f"{split}_{part}.npy" for split in ("test", "train", "validation") for part in "xy"],
    ]


def test_a_failed_preparation_leaves_the_earlier_data_set(tmp_path: Path, table: str):
    before = prepared(tmp_path, table)
    with pytest.raises(DataError):
        prepared(tmp_path, table, target="nothing")
    assert Dataset.load(before.folder).info == before.info
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "table.csv"]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "thesis.tex").write_text("")
    with pytest.raises(DataError, match="is no prepared data set; it is left as it is"):
        prepared(tmp_path, "digits")
    assert (tmp_path / "dataset" / "thesis.tex").exists()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("https://host/table.csv", "https://host/table.csv: is not on this machine.*allowed: digits, .* .csv, .tsv .*, .npz"),
        ("file://elsewhere/table.csv", "is not on this machine"),
        ("digit", "is of no kind that can be read.*did you mean 'digits'"),
        ("missing.csv", "missing.csv: does not exist"),
        ("folder.csv", "is a folder; needs a file"),
        ("no\0path.csv", "does not exist"),
        ("empty.csv", r"is empty \(0 bytes\)"),
    ],
)
def test_a_uri_that_cannot_be_read_is_named_with_what_is_allowed(tmp_path: Path, uri: str, message: str):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DataError, match=message):
        prepare(DataSpec(uri=uri), tmp_path / "dataset", tmp_path)


def test_the_fingerprint_is_the_same_for_the_same_content(tmp_path: Path, table: str):
    first = prepared(tmp_path, table).info.fingerprint
    copy = write_csv(tmp_path, csv_text(HEADER, people()), "copy.csv.gz")
    assert prepared(tmp_path, copy).info.fingerprint == first


def test_the_fingerprint_of_the_digits_is_the_same_in_every_process(tmp_path: Path):
    known = "7479bfcd5d59"
    assert prepared(tmp_path, "digits").info.fingerprint.startswith(known)


@pytest.mark.parametrize("settings", [{"seed": 1}, {"validation": 0.3}, {"test": 0.3}, {"target": "city"}])
def test_the_fingerprint_changes_with_the_split_settings(tmp_path: Path, table: str, settings: dict[str, Any]):
    assert prepared(tmp_path, table, **settings).info.fingerprint != prepared(tmp_path, table).info.fingerprint


@pytest.mark.parametrize("change", [("Ulm", "Bonn"), ("yes", "no")])
def test_the_fingerprint_changes_with_a_single_value_of_a_table(tmp_path: Path, table: str, change: tuple[str, str]):
    text = csv_text(HEADER, people())
    other = write_csv(tmp_path, text.replace(*change, 1), "other.csv")
    assert prepared(tmp_path, other).info.fingerprint != prepared(tmp_path, table).info.fingerprint


@pytest.mark.parametrize("example", range(0, 40, 7))
def test_the_fingerprint_changes_with_a_single_pixel(tmp_path: Path, example: int):
    arrays = pictures()
    before = prepared(tmp_path, save_npz(tmp_path, **arrays)).info.fingerprint
    arrays["x"][example, 1, 1] ^= 1
    assert prepared(tmp_path, save_npz(tmp_path, **arrays)).info.fingerprint != before


def test_data_of_another_fingerprint_are_refused(tmp_path: Path, table: str):
    found = prepared(tmp_path, table).info.fingerprint
    assert prepared(tmp_path, table, fingerprint=found).info.fingerprint == found
    with pytest.raises(DataError, match=f"has the fingerprint {found}, data.fingerprint wants abc"):
        prepared(tmp_path, table, fingerprint="abc")


def test_examples_that_repeat_across_splits_are_counted_and_warned_of(tmp_path: Path):
    arrays = pictures()
    arrays["x"][:] = arrays["x"][0]
    arrays["y"][:] = np.arange(40) % 2
    arrays["x"][20:, 0, 0] = np.arange(20)
    statistics = prepared(tmp_path, save_npz(tmp_path, **arrays)).info.statistics
    count = statistics["duplicates"]["test"]
    assert count > 0
    assert f"{count} of 8 examples of test occur in an earlier split too" in statistics["warnings"][-1]


def test_examples_all_different_bring_no_warning(tmp_path: Path):
    statistics = prepared(tmp_path, save_npz(tmp_path, **pictures())).info.statistics
    assert statistics["duplicates"] == {"validation": 0, "test": 0}
    assert statistics["warnings"] == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kind": "images"}', '{"version": 99}'])
def test_a_damaged_description_is_named(tmp_path: Path, content: str):
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=r"dataset\.json: (cannot be read|is no description|was written by a newer)"):
        Dataset.load(tmp_path)


def test_damaged_examples_are_named(tmp_path: Path):
    data = prepared(tmp_path, save_npz(tmp_path, **pictures()))
    path = data.folder / "test_x.npy"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"test_x.npy: cannot be read"):
        data.split("test")


def test_examples_of_another_data_set_are_noticed(tmp_path: Path):
    data = prepared(tmp_path, save_npz(tmp_path, **pictures()))
    np.save(data.folder / "test_x.npy", np.zeros((3, 3, 2, 1)))
    with pytest.raises(DataError, match="split 'test' has x"):
        data.split("test")


def test_an_unknown_split_is_named_with_those_that_there_are(tmp_path: Path):
    with pytest.raises(DataError, match="has no split 'dev'; it has: train, validation, test"):
        prepared(tmp_path, save_npz(tmp_path, **pictures())).split("dev")
