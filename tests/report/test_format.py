"""Numbers as a reader wants them."""

import math

import pytest

from tunesmith.report import _format


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.98765, "0.9877"),
        (0.1 + 0.2, "0.3"),
        (1e-5, "1e-5"),
        (1.2347e-7, "1.235e-7"),
        (12345.678, "12,346"),
        (2.5e9, "2.5e9"),
        (0.0, "0"),
        (-0.5, "-0.5"),
        (7, "7"),
        (True, "True"),
        (None, "none"),
        ("adam", "adam"),
        (math.nan, "nan"),
    ],
)
def test_a_number_has_four_significant_digits(value: object, text: str):
    assert _format.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(999, "999"), (12345, "12,345"), (1_234_567, "1.23 M"), (None, ""), ("?", "?"), (math.nan, "nan")]
)
def test_a_count_sets_its_thousands_apart(value: object, text: str):
    assert _format.count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.004, "4 ms"),
        (0.44, "0.4 s"),
        (9.99, "10 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (None, ""),
    ],
)
def test_a_duration_is_told_in_fitting_units(seconds: object, text: str):
    assert _format.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(512, "512 B"), (2048, "2.0 KiB"), (655_212, "640 KiB"), (5 * 2**30, "5.0 GiB"), (None, "")]
)
def test_a_size_is_told_in_fitting_units(value: object, text: str):
    assert _format.size(value) == text


def test_a_share_is_told_in_per_cent_and_an_error_is_not():
    assert _format.figure("accuracy", 0.97222) == "97.22 %"
    assert _format.figure("mae", 0.97222) == "0.9722"


@pytest.mark.parametrize("bounds", [None, [], [1], [1, None], "ab", [math.nan, 1]])
def test_a_broken_interval_is_not_shown(bounds: object):
    assert _format.interval("accuracy", bounds) == ""


def test_runs_of_trials_are_joined_and_many_are_counted():
    assert _format.numbers([3, 9, 8, 7, 12]) == "3, 7–9, 12"
    assert _format.numbers(range(0, 40, 2), most=3) == "0, 2, 4 and 17 more"


def test_a_shape_leaves_out_the_batch():
    assert _format.shape([None, 28, 28, 1]) == "28×28×1"
    assert _format.shape([8, 8]) == "8×8"
    assert _format.shape("(28, 28)") == "(28, 28)"
