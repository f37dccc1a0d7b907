"""Candidates of another study, told in a space's own parameters."""

import pytest

from tunesmith.spaces._distributions import Value
from tunesmith.spaces.layers import Layers
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


FIXED = Parameters({"rate": {"choice": [0.02]}, "cell": {"choice": ["gru"]}, "units": {"int": [8, 64]}})


@pytest.mark.parametrize("rate", [0.02, 0.0215, 0.0185])
def test_a_number_near_the_one_that_is_fixed_now_takes_it(rate: float) -> None:
    result = Translator(FIXED).tell({"rate": rate, "cell": "gru", "units": 16})
    assert result is not None
    assert result.known == {"rate": 0.02, "cell": "gru", "units": 16}


@pytest.mark.parametrize("change", [{"rate": 0.5}, {"rate": 0.025}, {"rate": "0.02"}, {"cell": "lstm"}, {"cell": None}])
def test_another_value_than_the_one_that_is_fixed_now_leaves_the_candidate_out(change: dict[str, Value]) -> None:
    translator = Translator(FIXED)
    assert translator.tell({"rate": 0.02, "cell": "gru", "units": 16} | change) is None
    assert translator.misfits == {next(iter(change)): 1}


def test_where_a_parameter_hardly_mattered_the_candidate_is_told_whatever_its_value() -> None:
    old: dict[str, Value] = {"lr": 0.5, "cell": "lstm", "units": 16}
    translator = Translator(FIXED, {"lr": "rate"}, unimportant=["lr", "cell"])
    result = translator.tell(old)
    assert result is not None
    assert (result.known, result.whole) == ({"units": 16}, {"rate": 0.02, "cell": "gru", "units": 16})
    assert (translator.misfits, translator.added) == ({}, set())
    assert Translator(FIXED, {"lr": "rate"}, unimportant=["lr"]).tell(old) is None


@pytest.mark.parametrize("change", [{"optimizer": "sgd"}, {"conv1.filters": 64}, {"dense": 2}, {"conv1.kernel": 5}])
def test_what_a_space_of_layers_has_settled_leaves_out_candidates_of_another_value(change: dict[str, Value]) -> None:
    fixed = {"filters": 32, "dropout": 0.1, "activation": "relu", "batch_normalization": True, "batch_size": 32}
    space = Layers(convs=[1, 2], dense=1, units=64, optimizer="adam", **fixed)
    same: dict[str, Value] = {"convs": 1, "dense": 1, "conv1.filters": 32, "optimizer": "adam", "learning_rate": 1e-3}
    result = Translator(space).tell(same)
    assert result is not None
    assert result.known == {"convs": 1, "learning_rate": 1e-3}
    translator = Translator(space)
    assert translator.tell(same | change) is None
    assert translator.misfits == {next(iter(change)): 1}
    assert Translator(space, unimportant=list(change)).tell(same | change) is not None


def test_one_and_true_are_two_options() -> None:
    space = Parameters({"flag": {"choice": [True, False]}, "units": {"int": [8, 64]}})
    assert Translator(space).tell({"flag": 1, "units": 16}) is None


def test_a_study_that_shares_nothing_tells_nothing() -> None:
    assert told({"depth": 3}) is None
