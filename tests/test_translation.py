"""Candidates of another study, told in a space's own parameters."""

import pytest

from tunesmith.spaces._distributions import Value
from tunesmith.spaces.parameters import Parameters
from tunesmith.translation import Translator

SPACE = Parameters(
    {
        "rate": {"loguniform": [1e-4, 1e-1]},
        "units": {"int": [8, 64]},
        "cell": {"choice": {"gru": {"gates": {"int": [1, 4]}}, "none": {}}},
    }
)
WHOLE: dict[str, Value] = {"rate": 0.01, "units": 16, "cell": "none"}


def told(candidate: dict[str, Value], rename: dict[str, str] | None = None) -> dict[str, Value] | None:
    result = Translator(SPACE, rename or {}).tell(candidate)
    return None if result is None else dict(result.whole)


def test_a_candidate_of_the_same_space_stays_as_it_is() -> None:
    result = Translator(SPACE).tell(WHOLE)
    assert result is not None
    assert dict(result.known) == dict(result.whole) == WHOLE


def test_a_renamed_parameter_is_found_under_its_new_name() -> None:
    old = {"lr": 0.01, "units": 16, "cell": "none"}
    assert told(old, {"lr": "rate"}) == WHOLE


def test_a_parameter_that_is_gone_is_left_out() -> None:
    assert told(WHOLE | {"momentum": 0.9}) == WHOLE


def test_a_new_parameter_takes_the_middle_and_is_not_known() -> None:
    result = Translator(SPACE).tell({"units": 16, "cell": "none"})
    assert result is not None
    assert result.whole["rate"] == pytest.approx(10**-2.5)
    assert "rate" not in result.known


def test_a_new_branch_is_filled_as_well() -> None:
    result = told(WHOLE | {"cell": "gru"})
    assert result is not None
    assert result["gates"] in (2, 3)


@pytest.mark.parametrize(("rate", "expected"), [(0.15, 0.1), (0.9e-4, 1e-4)])
def test_a_value_just_outside_moves_to_the_end(rate: float, expected: float) -> None:
    result = told(WHOLE | {"rate": rate})
    assert result is not None
    assert result["rate"] == pytest.approx(expected)


@pytest.mark.parametrize("change", [{"rate": 10.0}, {"units": 1000}, {"cell": "lstm"}, {"rate": "fast"}, {"rate": -1.0}])
def test_a_value_far_outside_leaves_the_candidate_out_and_is_counted(change: dict[str, Value]) -> None:
    translator = Translator(SPACE)
    assert translator.tell(WHOLE | change) is None
    assert translator.misfits == {next(iter(change)): 1}


def test_a_linear_range_takes_the_values_of_a_logarithmic_one() -> None:
    space = Parameters({"rate": {"uniform": [0, 1]}})
    result = Translator(space).tell({"rate": 0.003})
    assert result is not None
    assert result.whole == {"rate": 0.003}


def test_a_number_takes_the_nearest_value_of_a_grid() -> None:
    space = Parameters({"units": {"int": [8, 64], "step": 8}})
    result = Translator(space).tell({"units": 30})
    assert result is not None
    assert result.whole == {"units": 32}


def test_what_is_fixed_now_takes_its_only_value() -> None:
    space = Parameters({"rate": {"choice": [0.02]}, "units": {"int": [8, 64]}})
    result = Translator(space).tell({"rate": 0.5, "units": 16})
    assert result is not None
    assert result.whole == {"rate": 0.02, "units": 16}


def test_one_and_true_are_two_options() -> None:
    space = Parameters({"flag": {"choice": [True, False]}, "units": {"int": [8, 64]}})
    assert Translator(space).tell({"flag": 1, "units": 16}) is None


def test_a_study_that_shares_nothing_tells_nothing() -> None:
    assert told({"depth": 3}) is None
