"""Inputs are named so that TensorFlow takes any column, and can be traced back to it."""

import re

from hypothesis import given, strategies as st

from tunesmith.export._signature import input_names


def test_plain_column_names_stay_as_they_are():
    assert input_names(["age", "Sex", "capital_gain"]) == ["age", "Sex", "capital_gain"]


def test_names_that_collide_once_written_plainly_are_numbered():
    assert input_names(["a b", "a/b", "A_B", "a_b_2"]) == ["a_b", "a_b_2", "A_B_3", "a_b_2_2"]


def test_words_of_python_get_a_prefix():
    assert input_names(["self", "class", "None", "name"]) == ["column_self", "column_class", "column_None", "name"]


def test_names_that_begin_with_no_letter_get_a_prefix():
    assert input_names(["0", "_x", "", "%"]) == ["column_0", "column__x", "column", "column_2"]


@given(st.lists(st.text(max_size=8), unique=True, max_size=20))
def test_any_column_names_become_distinct_valid_names(columns: list[str]):
    names = input_names(columns)
    assert len({name.lower() for name in names}) == len(columns)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in names)
