"""Where a search file's distributions are, and how they are put back."""

import pytest

from tests.advice.studies import NESTED
from tunesmith.advice._keys import Key, read_keys, write_keys
from tunesmith.spaces._distributions import Choice, Int, LogInt, LogUniform, Uniform
from tunesmith.spaces.layers import Layers
from tunesmith.spaces.parameters import Parameters
from tunesmith.spec import build_space
from tunesmith.study import Trial


def test_nested_parameters_are_keys_too() -> None:
    keys = {key.name: key for key in read_keys(Parameters(NESTED).to_json(), [])}
    assert list(keys) == ["rate", "width", "idle", "optimizer", "momentum", "beta"]
    assert keys["optimizer"].distribution == Choice(("sgd", "adam"))
    assert keys["momentum"].distribution == Uniform(0, 0.99)


def test_a_key_of_layers_decides_that_of_every_layer() -> None:
    keys = {key.name: key for key in read_keys(Layers().to_json(), [])}
    assert keys["convs"].distribution == Int(3, 8)
    assert keys["filters"].decides("conv7.filters")
    assert not keys["dense"].decides("dense1.units")
    trial = Trial(0, {"convs": 3, "conv1.filters": 16, "conv2.filters": 64, "conv3.filters": 20, "learning_rate": 1e-3})
    assert keys["filters"].values(trial) == [16, 64, 20]


def test_a_key_that_is_not_searched_is_no_key() -> None:
    names = [key.name for key in read_keys(Layers(convs=4, dense=2, optimizer="adam", learning_rate=1e-3).to_json(), [])]
    assert not {"convs", "dense", "optimizer", "learning_rate", "kernel"} & set(names)


def test_the_ranges_of_a_users_function_are_those_of_its_trials() -> None:
    trials = [Trial(i, {"n": 3 + i, "rate": 10.0**-i, "kind": "ab"[i % 2], "same": 1}) for i in range(4)]
    keys = {key.name: key.distribution for key in read_keys({"kind": "code"}, trials)}
    assert keys == {"n": Int(3, 6), "rate": LogUniform(1e-3, 1.0), "kind": Choice(("a", "b"))}


def test_what_is_changed_is_written_and_all_else_is_kept() -> None:
    form = write_keys(Parameters(NESTED).to_json(), {"beta": Choice((0.9,)), "rate": LogUniform(1e-4, 1e-2)})
    assert form["parameters"]["rate"] == {"loguniform": [1e-4, 1e-2]}
    assert form["parameters"]["optimizer"]["choice"]["adam"] == {"beta": {"choice": [0.9]}}
    assert form["parameters"]["width"] == {"int": [1, 64]}


def test_an_option_that_is_left_out_takes_its_parameters_along() -> None:
    form = write_keys(Parameters(NESTED).to_json(), {"optimizer": Choice(("adam",)), "momentum": Uniform(0, 0.5)})
    assert list(form["parameters"]["optimizer"]["choice"]) == ["adam"]
    build_space(form)


@pytest.mark.parametrize(
    ("name", "after", "written"),
    [
        ("convs", Int(4, 6), [4, 6]),
        ("convs", Choice((5,)), [5, 5]),
        ("filters", LogInt(32, 64), {"logint": [32, 64]}),
        ("optimizer", Choice(("adam",)), "adam"),
    ],
)
def test_layers_are_written_in_their_own_words(name: str, after: Choice | Int | LogInt, written: object) -> None:
    form = write_keys(Layers().to_json(), {name: after})
    assert form[name] == written
    build_space(form)


def test_a_value_that_is_not_on_the_range_does_not_count() -> None:
    assert Key("x", Int(1, 3)).values(Trial(0, {"x": 7})) == []
