"""What every distribution promises: a map to and from the unit interval, and errors in the user's words."""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import (
    Choice,
    Distribution,
    Int,
    LogInt,
    LogNormal,
    LogUniform,
    Normal,
    Uniform,
    parse,
)

KINDS = [
    Uniform(0.0, 1.0),
    Uniform(-5, 5, step=0.1),
    Uniform(0.1, 0.3, step=0.1),
    Uniform(-100, 100, step=0.1),
    Uniform(1e9, 1e9 + 1, step=1e-6),
    Uniform(1 / 3, 2, step=0.25),
    Uniform(0, 1, step=0.3),
    Uniform(0, 10, clip=(2, 8)),
    Uniform(0, 10, step=1, clip=(2.5, 8)),
    LogUniform(1e-6, 1.0),
    LogUniform(0.1, 3, step=0.1),
    LogUniform(1e-3, 1e3, clip=(0.01, 10)),
    Int(0, 1),
    Int(-7, 12, step=3),
    Int(0, 2**53),
    LogInt(1, 2),
    LogInt(1, 100_000),
    LogInt(8, 256, step=8),
    Normal(0.15, 0.1),
    Normal(0.15, 0.1, clip=(0, 0.9)),
    Normal(10, 4, step=2.5),
    Normal(10, 4, step=0.1, clip=(0.3, 20)),
    Normal(0, 1, clip=(0, math.inf)),
    LogNormal(0, 1),
    LogNormal(-3, 2, step=0.05),
    LogNormal(0, 1, clip=(0.5, 2)),
    LogNormal(0, 1, step=0.5, clip=(0.5, 3)),
    LogNormal(0, 1000),
    LogNormal(0, 1000, step=1e-5),
    Choice(("relu",)),
    Choice((True, 1, 1.0, "1", None, False, 0)),
]


def name_of(distribution: Distribution) -> str:
    return distribution.describe()


# A subnormal number has too few digits to tell apart the masses of values in a tail.
units = st.floats(0.0, 1.0, allow_subnormal=False)


@st.composite
def numeric_forms(draw: st.DrawFn) -> dict[str, object]:
    """Draw a valid form of a numeric distribution, with or without step and clip."""
    name = draw(st.sampled_from(["uniform", "loguniform", "int", "logint", "normal", "lognormal"]))
    whole = "int" in name
    low = draw(
        st.integers(1, 50) if whole or "log" in name else st.floats(-50, 50, allow_subnormal=False).map(lambda x: round(x, 3))
    )
    wide = draw(st.integers(1, 400) if whole else st.floats(0.01, 400).map(lambda x: round(x, 3)))
    form: dict[str, object] = {name: [low, low + wide]}
    if name in ("normal", "lognormal"):
        form = {name: [low / 10, draw(st.floats(0.01, 5))]}
        if draw(st.booleans()):
            form["clip"] = [0, draw(st.integers(5, 40))]
    if not whole and draw(st.booleans()):
        form["step"] = draw(st.sampled_from([0.1, 0.25, 0.01, 1 / 3, 1]))
    return form


@pytest.mark.parametrize("distribution", KINDS, ids=name_of)
@settings(max_examples=60, deadline=None)
@given(unit=units)
def test_a_value_survives_the_way_to_the_unit_interval_and_back(distribution: Distribution, unit: float) -> None:
    value = distribution.quantile(unit)
    there = float(distribution.cdf([value])[0])
    assert 0.0 <= there <= 1.0
    back = distribution.quantile(there)
    assert type(back) is type(value)
    if math.isinf(distribution.size) and isinstance(distribution, Normal):
        # The far tails own less of the unit interval than a float can tell.
        assert distribution.cdf([back])[0] == pytest.approx(there, abs=1e-9)
    elif isinstance(value, float):
        assert back == pytest.approx(value, rel=1e-9, abs=1e-9)
    else:
        assert back == value


@settings(max_examples=300, deadline=None)
@given(form=numeric_forms(), unit=units)
def test_values_lie_on_the_support_whatever_the_distribution(form: dict[str, object], unit: float) -> None:
    distribution = parse(form, "x")
    value = distribution.quantile(unit)
    assert distribution.contains(value)
    assert distribution.contains(json.loads(json.dumps(value)))
    if not math.isinf(distribution.size):
        assert distribution.quantile(float(distribution.cdf([value])[0])) == value


@pytest.mark.parametrize("distribution", KINDS, ids=name_of)
def test_the_unit_interval_s_ends_and_all_between_lie_on_the_support(distribution: Distribution) -> None:
    for unit in [0.0, 1.0, 0.5, *np.linspace(0, 1, 41), np.nextafter(0, 1), np.nextafter(1, 0)]:
        value = distribution.quantile(float(unit))
        assert distribution.contains(value), (unit, value)
        json.dumps(value, allow_nan=False)


@pytest.mark.parametrize("distribution", KINDS, ids=name_of)
@settings(max_examples=40, deadline=None)
@given(pair=st.tuples(units, units))
def test_cdf_and_quantile_never_turn_back(distribution: Distribution, pair: tuple[float, float]) -> None:
    values = [distribution.quantile(unit) for unit in sorted(pair)]
    low, high = distribution.cdf(values)
    assert low <= high
    if not isinstance(distribution, Choice):
        assert values[0] <= values[1]  # type: ignore[operator]  # numbers, all but a choice's


WITH_MASS = [
    distribution
    for distribution in KINDS
    if distribution.to_json().keys() & {"step", "clip", "int", "logint", "choice"} and distribution != LogNormal(0, 1000, 1e-5)
]


@pytest.mark.parametrize("distribution", WITH_MASS, ids=name_of)
def test_a_value_of_some_mass_lies_in_the_middle_of_it(distribution: Distribution) -> None:
    units = (np.arange(4000) + 0.5) / 4000
    by_value: dict[str, list[float]] = {}
    for unit in units:
        by_value.setdefault(json.dumps(distribution.quantile(float(unit))), []).append(unit)
    for text, owned in by_value.items():
        if len(owned) >= 40:
            assert distribution.cdf([json.loads(text)])[0] == pytest.approx(np.mean(owned), abs=0.001)


@pytest.mark.parametrize("distribution", KINDS, ids=name_of)
def test_the_written_form_is_read_back_as_the_same_distribution(distribution: Distribution) -> None:
    form = json.loads(json.dumps(distribution.to_json()))
    assert parse(form, "x") == distribution
    assert parse(form, "x").to_json() == distribution.to_json()


@pytest.mark.parametrize("distribution", [d for d in KINDS if d.size < 500], ids=name_of)
def test_a_finite_distribution_counts_and_lists_its_values(distribution: Distribution) -> None:
    values = [distribution.value_at(i) for i in range(int(distribution.size))]
    assert len({(type(v), v) for v in values}) == len(values)
    assert all(distribution.contains(value) for value in values)
    drawn = {json.dumps(distribution.quantile(unit)) for unit in np.linspace(0, 1, 4001)}
    assert drawn == {json.dumps(value) for value in values}


def test_steps_are_counted_as_decimals() -> None:
    assert [Uniform(0.1, 0.5, step=0.1).value_at(i) for i in range(5)] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert Uniform(-100, 100, step=0.1).value_at(999) == -0.1
    assert Uniform(0, 1, step=0.3).size == 4
    assert Normal(0, 1, step=0.1, clip=(0.05, 0.35)).value_at(0) == 0.1


def test_a_grid_counts_from_low_and_never_passes_high() -> None:
    grid = Uniform(0.05, 1, step=0.3)
    assert [grid.value_at(i) for i in range(int(grid.size))] == [0.05, 0.35, 0.65, 0.95]
    assert not grid.contains(0.3)
    assert not grid.contains(1.0)


def test_every_value_of_a_grid_is_equally_likely_ends_included() -> None:
    draws = [Uniform(0, 4, step=1).quantile(unit) for unit in np.linspace(0, 1, 10_001)]
    assert all(draws.count(value) == pytest.approx(2000, abs=3) for value in range(5))


def test_a_logarithmic_whole_number_favours_the_small_ones_and_reaches_both_ends() -> None:
    values = [LogInt(1, 64).quantile(unit) for unit in np.linspace(0, 1, 2001)]
    assert (min(values), max(values)) == (1, 64)
    share = np.log(8.5 / 0.5) / np.log(64.5 / 0.5)
    assert np.mean([value <= 8 for value in values]) == pytest.approx(share, abs=0.01)


def test_what_lies_outside_the_clip_is_moved_to_its_nearer_end() -> None:
    clipped = Normal(0, 1, clip=(-0.5, 0.25))
    assert clipped.quantile(0.01) == -0.5
    assert clipped.quantile(0.99) == 0.25
    assert clipped.quantile(0.5) == 0.0


def test_the_middle_of_a_normal_is_its_mean_and_a_deviation_above_it_84_percent() -> None:
    assert Normal(3, 2).quantile(0.5) == 3.0
    assert Normal(3, 2).cdf([5.0])[0] == pytest.approx(0.8413, abs=1e-4)
    assert LogNormal(1, 2).quantile(0.5) == pytest.approx(math.e)


def test_a_wildly_wide_lognormal_stays_finite() -> None:
    wide = LogNormal(0, 1e6)
    values = [wide.quantile(unit) for unit in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert all(isinstance(value, float) and math.isfinite(value) and value >= 0 for value in values)
    assert wide.contains(values[-1])


def test_true_one_and_one_point_zero_are_three_options() -> None:
    choice = Choice((True, 1, 1.0))
    assert [type(choice.quantile(u)) for u in (0.1, 0.5, 0.9)] == [bool, int, float]
    assert len(set(choice.cdf([True, 1, 1.0]))) == 3
    assert not Choice((1, 2)).contains(True)
    assert not Choice((True, False)).contains(1)
    assert not Int(0, 1).contains(True)


def test_numpy_s_numbers_become_plain_options() -> None:
    choice = Choice((*np.arange(3), np.float32(0.5), np.bool_(True)))  # type: ignore[arg-type]  # a user's array
    assert choice.to_json() == {"choice": [0, 1, 2, 0.5, True]}
    assert choice == parse(json.loads(json.dumps(choice.to_json())), "x")


def test_whole_floats_are_whole_numbers_and_written_as_such() -> None:
    assert parse({"int": [3.0, 30.0], "step": 3.0}, "x") == Int(3, 30, step=3)
    assert json.dumps(parse({"logint": [1.0, 8.0]}, "x").to_json()) == '{"logint": [1, 8]}'
    assert type(Int(0.0, 4.0).quantile(0.5)) is int  # type: ignore[arg-type]  # JSON's numbers


def test_numbers_that_yaml_reads_as_texts_are_numbers() -> None:
    assert parse({"loguniform": ["1e-4", "1E-1"]}, "lr") == LogUniform(1e-4, 0.1)


def test_foreign_values_are_not_contained() -> None:
    assert not Uniform(0, 1).contains("0.5")
    assert not Uniform(0, 1).contains(float("nan"))
    assert not Uniform(0, 1).contains(1.5)
    assert not Uniform(0, 1).contains(10**400)
    assert not Int(0, 9).contains(2.5)
    assert not Int(0, 10, step=5).contains(3)
    assert not Choice(("a",)).contains(["a"])


def test_samples_follow_the_distribution() -> None:
    source = random.Random(1)
    values = [Normal(2, 0.5).quantile(source.random()) for _ in range(2000)]
    assert np.mean(values) == pytest.approx(2, abs=0.05)
    assert np.std(values) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"loguniform": [0, 1]}, "lr: loguniform: low must be above 0 on a logarithmic scale, got 0"),
        ({"loguniform": [-1, 1]}, "lr: loguniform: low must be above 0 on a logarithmic scale, got -1"),
        ({"logint": [0, 8]}, "lr: logint: low must be above 0"),
        ({"uniform": [1, 1]}, "lr: uniform: low must be less than high, got [1, 1]"),
        ({"int": [5, 2]}, "lr: int: low must be less than high, got [5, 2]"),
        ({"int": [0, 2.5]}, "lr: int: needs whole numbers, got {int: [0, 2.5]}"),
        ({"int": [0, 9], "step": 0.5}, "lr: int: needs whole numbers"),
        ({"int": [0, 10**400]}, "lr: int: high must be a finite number"),
        ({"int": [0, 2**60]}, f"lr: int: needs numbers up to {2**53}"),
        ({"uniform": [0, 1], "step": 0}, "lr: uniform: step must be positive, got 0"),
        ({"uniform": [0, 1], "step": -0.1}, "lr: uniform: step must be positive, got -0.1"),
        ({"uniform": [0, 1], "step": float("nan")}, "lr: uniform: step must be positive, got nan"),
        ({"uniform": [0, 1e9], "step": 1e-9}, "lr: uniform: step 1e-09 is too small for a range of 1000000000.0"),
        ({"uniform": [-1e308, 1e308]}, "lr: uniform: the range [-1e+308, 1e+308] is too wide"),
        ({"loguniform": [0.1, 1], "step": 0.2}, "lr: loguniform: step must be less than twice low"),
        ({"logint": [1, 9], "step": 2}, "lr: logint: step must be less than twice low, got step 2 and low 1"),
        ({"uniform": [0, float("nan")]}, "lr: uniform: high must be a finite number, got nan"),
        ({"uniform": [0, float("inf")]}, "lr: uniform: high must be a finite number, got inf"),
        ({"uniform": [0, True]}, "lr: uniform: needs [low, high], got True"),
        ({"uniform": [0, "wide"]}, "lr: uniform: needs [low, high], got 'wide'"),
        ({"uniform": [0]}, "lr: uniform: needs [low, high], got [0]"),
        ({"uniform": "0-1"}, "lr: uniform: needs [low, high], got '0-1'"),
        ({"normal": [0, 0]}, "lr: normal: deviation must be positive, got 0"),
        ({"normal": [0, 1], "clip": [1, 0]}, "lr: normal: clip must be [low, high] with low < high, got [1, 0]"),
        ({"normal": [0, 1], "clip": [0, float("nan")]}, "lr: normal: clip must be [low, high] with low < high"),
        ({"normal": [0, 1], "clip": 3}, "lr: normal: clip must be [low, high], got 3"),
        ({"normal": [0, 1], "step": 1, "clip": [0.2, 0.8]}, "lr: normal: clip [0.2, 0.8] leaves no value of"),
        ({"uniform": [0, 1], "clip": [2, 3]}, "lr: uniform: clip [2, 3] leaves no value of"),
        ({"lognormal": [0, 1], "clip": [-2, -1]}, "lr: lognormal: clip [-2, -1] leaves no value of"),
        (
            {"unifrom": [0, 1]},
            "needs exactly one of: uniform, loguniform, int, logint, normal, lognormal, choice (did you mean 'uniform'?)",
        ),
        ({"uniform": [0, 1], "normal": [0, 1]}, "needs exactly one of"),
        ({"uniform": [0, 1], "stepp": 1}, "lr.stepp: unknown key; allowed: uniform, step, clip (did you mean 'step'?)"),
        ({"choice": [1, 2], "step": 1}, "lr.step: unknown key; allowed: choice"),
        ({"choice": []}, "lr: choice: needs at least one option"),
        ({"choice": "relu"}, "lr: choice: needs a list of options, got 'relu'"),
        ({"choice": ["a", "b", "a"]}, "lr: choice: duplicate options in ['a', 'b', 'a']"),
        ({"choice": [[1], [2]]}, "lr: choice: got [1]; an option is a text, finite number, true, false or null"),
        ({"choice": [float("nan")]}, "lr: choice: got nan"),
        (0.1, "lr: got 0.1; a distribution is written as {uniform: [0, 1]}"),
        ([0, 1], "lr: got [0, 1]; a distribution is written as"),
        ({}, "lr: got {}; needs exactly one of"),
    ],
)
def test_a_bad_distribution_is_refused_in_the_users_words(form: object, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(form, "lr")
    assert message in str(caught.value)


def test_bounds_given_in_python_are_checked_too() -> None:
    with pytest.raises(SpecError, match=r"clip must be \[low, high\]"):
        Normal(0, 1, clip=("a", "b"))  # type: ignore[arg-type]  # a user's mistake
    with pytest.raises(SpecError, match=r"clip must be \[low, high\]"):
        Normal(0, 1, clip=(0,))  # type: ignore[arg-type]  # a user's mistake
    with pytest.raises(SpecError, match="low must be a finite number, got '0'"):
        Uniform("0", 1)  # type: ignore[arg-type]  # a user's mistake
