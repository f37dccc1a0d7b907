"""Named parameters, nested under the options of others."""

import json
from typing import Any

import numpy as np
import pytest

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Uniform
from tunesmith.spaces.parameters import Branches, Parameters, branches

NESTED: dict[str, Any] = {
    "lr": {"choice": [0.1, 0.01]},
    "optimizer": {
        "choice": {
            "sgd": {
                "momentum": {"choice": [0.0, 0.9]},
                "nesterov": {"choice": {"yes": {"delay": {"int": [1, 3]}}, "no": None}},
            },
            "adam": {},
        }
    },
}


def test_a_candidate_holds_the_active_parameters_only() -> None:
    space = Parameters(NESTED)
    assert space.realize({"lr": 0.1, "optimizer": "adam"}) == {"lr": 0.1, "optimizer": "adam"}
    with pytest.raises(SpecError, match=r"candidate\.momentum: is no active parameter; active: lr, optimizer"):
        space.realize({"lr": 0.1, "optimizer": "adam", "momentum": 0.9})
    with pytest.raises(SpecError, match=r"candidate\.momentum: is missing"):
        space.realize({"lr": 0.1, "optimizer": "sgd"})


def test_a_nested_space_counts_each_branch_by_itself() -> None:
    assert len(list(Parameters(NESTED).enumerate())) == 2 * (2 * (3 + 1) + 1)


def test_a_space_survives_json() -> None:
    space = Parameters(NESTED)
    form = json.loads(json.dumps(space.to_json()))
    assert form.pop("kind") == "parameters"
    assert Parameters(**form).to_json() == space.to_json()
    rng, again = np.random.default_rng(0), np.random.default_rng(0)
    assert [Parameters(**form).sample(rng) for _ in range(20)] == [space.sample(again) for _ in range(20)]


def test_a_space_may_be_written_in_python() -> None:
    space = Parameters({"lr": Uniform(0, 1), "optimizer": branches({"sgd": {"momentum": Uniform(0, 1)}, "adam": {}})})
    written = Parameters(
        {"lr": {"uniform": [0, 1]}, "optimizer": {"choice": {"sgd": {"momentum": {"uniform": [0, 1]}}, "adam": {}}}}
    )
    assert space.to_json() == written.to_json()


def test_plain_options_make_a_plain_choice() -> None:
    assert branches(["a", "b"]) == Choice(("a", "b"))
    assert isinstance(branches({"a": {}}), Branches)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "parameters: is empty; needs at least one parameter"),
        ({"x": {"unifrom": [0, 1]}}, "(did you mean 'uniform'?)"),
        ({"x": 3}, "parameters.x: got 3; a distribution is written as"),
        ({1: {"uniform": [0, 1]}}, "parameters: got 1 as a parameter's name; a name is a text"),
        ({"": {"uniform": [0, 1]}}, "parameters: got '' as a parameter's name"),
        ({"x": {"choice": {}}}, "parameters.x.choice: is empty; needs at least one option"),
        ({"x": {"choice": {True: {}}}}, "parameters.x.choice: got True; an option with parameters of its own is a text"),
        ({"x": {"choice": {"a": 0}}}, "parameters.x.a: got 0; needs a dictionary of parameters"),
        ({"x": {"choice": {"a": ["y"]}}}, "parameters.x.a: got ['y']; needs a dictionary of parameters"),
        ({"x": {"choice": {"a": {}}, "step": 1}}, "a choice with nested parameters has no other keys"),
        ({"x": {"choice": {"a": {"y": {"uniform": [1, 0]}}}}}, "parameters.x.a.y: uniform: low must be less than high"),
        ({"x": {"choice": {"a": {"x": {"uniform": [0, 1]}}}}}, "parameters.x.a.x: duplicate name"),
        (
            {"x": {"choice": {"a": {"y": {"uniform": [0, 1]}}, "b": {"y": {"uniform": [0, 1]}}}}},
            "parameters.x.b.y: duplicate name; every parameter of a space needs a name of its own",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path(form: dict[Any, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        Parameters(form)
    assert message in str(caught.value)


def test_a_top_level_that_is_no_dictionary_is_refused() -> None:
    with pytest.raises(SpecError, match="needs a dictionary of parameters"):
        Parameters(["x"])  # type: ignore[arg-type]  # a user's mistake
