"""The encoding of a table: plain data, the same after a round trip, finite whatever comes in."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

from tunesmith.data.encoding import Column, TableEncoding
from tunesmith.data.fitting import fit_encoding
from tunesmith.errors import DataError

COLUMNS = {
    "age": np.array([20.0, np.nan, 40.0, 60.0, 30.0, 30.0]),
    "city": np.array(["Ulm", "Bonn", "", "Ulm", "Bonn", "Ulm"], dtype=object),
}
ENCODING = TableEncoding(
    (
        Column("age", "numeric", fill=30, mean=40, deviation=10, indicator=True),
        Column("city", "category", vocabulary=("Bonn", "Ulm"), other=True, indicator=True),
        Column("plain", "category", vocabulary=("x",)),
    )
)
numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)
finite = st.floats(-(2.0**100), 2.0**100, width=32)
columns = st.one_of(
    st.builds(
        lambda fill, mean, deviation, indicator: Column("c", "numeric", fill, mean, deviation, indicator),
        *(finite, finite, st.floats(2.0**-100, 2.0**100), st.booleans()),
    ),
    st.builds(
        lambda vocabulary, indicator, other: Column(
            "c", "category", vocabulary=tuple(vocabulary), indicator=indicator, other=other
        ),
        *(st.lists(st.text(min_size=1, max_size=3), max_size=4, unique=True), st.booleans(), st.booleans()),
    ),
)


def test_numbers_are_standardised_and_missing_ones_filled_and_marked():
    rows = {"age": np.array([50.0, np.nan]), "city": np.array(["Ulm", "Bonn"]), "plain": np.array(["x", "x"])}
    assert ENCODING.encode(rows)[:, :2].tolist() == [[1, 0], [-1, 1]]


def test_categories_become_one_feature_each_and_the_unknown_go_to_other():
    rows = {"age": np.zeros(4), "city": np.array(["Ulm", "Bonn", "Rom", ""]), "plain": np.array(["x", "y", "", "x"])}
    assert ENCODING.features[2:] == ["city=Bonn", "city=Ulm", "city other", "city missing", "plain=x"]
    assert ENCODING.encode(rows)[:, 2:].tolist() == [[0, 1, 0, 0, 1], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1]]


@given(columns, arrays.arrays(np.float32, st.integers(0, 20), elements=numbers), st.lists(st.text(max_size=4), max_size=20))
def test_any_row_is_finite(column: Column, values: np.ndarray, texts: list[str]):
    encoding = TableEncoding((column,))
    given_values = values if column.kind == "numeric" else np.array(texts, dtype=object)
    encoded = encoding.encode({"c": given_values})
    assert encoded.dtype == np.float32
    assert encoded.shape == (len(given_values), len(encoding.features))
    assert np.isfinite(encoded).all()
    assert np.abs(encoded).max(initial=0) <= encoding.limit


@given(st.lists(columns, max_size=3))
def test_json_brings_the_same_encoding_back(fields: list[Column]):
    encoding = TableEncoding(tuple(fields))
    assert TableEncoding.from_json(json.loads(json.dumps(encoding.to_json(), allow_nan=False))) == encoding


def test_a_saved_encoding_is_loaded_again(tmp_path: Path):
    ENCODING.save(tmp_path)
    assert TableEncoding.load(tmp_path) == ENCODING


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"columns": [{"kind": "numeric"}], "limit": 1}',
        '{"columns": [{"name": "a", "kind": "x"}], "limit": 1}',
        '{"version": 2}',
    ],
)
def test_a_damaged_encoding_is_named(tmp_path: Path, content: str):
    (tmp_path / "encoding.json").write_text(content)
    with pytest.raises(DataError, match=r"encoding\.json"):
        TableEncoding.load(tmp_path)


def test_a_folder_without_an_encoding_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"has no encoding.json"):
        TableEncoding.load(tmp_path)


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="lacks the columns city, plain; it has: age"):
        ENCODING.encode({"age": np.zeros(2)})


def test_a_column_of_another_kind_is_named():
    rows = {"age": np.array(["50"]), "city": np.array(["Ulm"]), "plain": np.array(["x"])}
    with pytest.raises(DataError, match="column 'age': needs numbers"):
        ENCODING.encode(rows)


def test_columns_of_different_lengths_are_named():
    with pytest.raises(DataError, match="different lengths"):
        ENCODING.encode({"age": np.zeros(2), "city": np.array(["Ulm"]), "plain": np.array(["x"])})


def test_only_the_training_rows_are_looked_at():
    fitted = fit_encoding(COLUMNS, np.array([0, 3, 5]))
    (age,) = fitted.encoding.columns
    assert (age.fill, age.mean, age.indicator) == (30, pytest.approx(110 / 3), False)
    assert age.deviation == pytest.approx(math.sqrt(2600 / 9))
    assert fitted.dropped == {"city": "is always 'Ulm' in the training split"}


def test_the_median_fills_and_missing_values_are_marked():
    age, city = fit_encoding(COLUMNS, np.arange(6)).encoding.columns
    assert (age.fill, age.mean, age.indicator) == (30, 36, True)
    assert (city.vocabulary, city.other, city.indicator) == (("Bonn", "Ulm"), False, True)


def test_a_value_that_only_sometimes_is_there_is_kept_for_being_missing():
    fitted = fit_encoding({"n": np.array([5.0, np.nan, 5.0]), "t": np.array(["x", "", "x"], dtype=object)}, np.arange(3))
    assert fitted.encoding.features == ["n", "n missing", "t=x", "t missing"]
    assert np.isfinite(fitted.encoding.encode({"n": np.array([7.0]), "t": np.array(["y"])})).all()
