"""How important parameters are."""

import sys

import numpy as np
import pytest

from tests.advice.studies import NESTED, nested_loss, random_trials
from tunesmith.advice._evidence import gather
from tunesmith.advice._importance import Importance, importances
from tunesmith.advice._keys import read_keys
from tunesmith.aims import Aims, Objective
from tunesmith.errors import SpecError
from tunesmith.spaces.parameters import Parameters
from tunesmith.study import State, Trial


def found_in(trials: list[Trial], parameters: dict) -> dict[str, Importance]:
    return importances(gather(trials, Aims((Objective("loss"),))), read_keys(Parameters(parameters).to_json(), trials))


@pytest.fixture(scope="module")
def nested() -> dict[str, Importance]:
    return found_in(random_trials(NESTED, nested_loss, 80), NESTED)


def test_shares_follow_the_influence_and_sum_to_one(nested: dict[str, Importance]) -> None:
    shares = {name: found.overall.share for name, found in nested.items()}
    assert sorted(shares, key=lambda name: -shares[name])[:2] == ["rate", "optimizer"]
    assert sum(shares.values()) == pytest.approx(1)
    assert nested["rate"].real
    assert not nested["idle"].real


def test_a_parameter_that_few_trials_have_is_judged_too(nested: dict[str, Importance]) -> None:
    assert not nested["momentum"].real
    inner = {"kind": {"choice": {"a": {"x": {"uniform": [0, 1]}}, "b": {}}}}
    trials = random_trials(inner, lambda candidate: candidate.get("x", 0.5), 60)
    assert found_in(trials, inner)["x"].real


def test_the_better_half_shows_what_one_ruinous_parameter_hides() -> None:
    parameters = {"ruin": {"choice": ["no", "never", "yes"]}, "x": {"uniform": [0, 1]}, "idle": {"uniform": [0, 1]}}
    found = found_in(random_trials(parameters, lambda c: 100 * (c["ruin"] == "yes") + c["x"], 80), parameters)
    assert found["ruin"].overall.share > 0.5
    assert found["x"].better is not None
    assert found["x"].better.share > 0.8


def test_a_parameters_scale_and_one_terrible_trial_make_no_difference() -> None:
    parameters = {"x": {"loguniform": [1e-6, 1]}, "y": {"uniform": [0, 1]}}
    trials = random_trials(parameters, lambda c: -np.log10(c["x"]), 60)
    plain = found_in(trials, parameters)
    trials[7] = Trial(7, trials[7].candidate, State.FINISHED, {"loss": 1e300})
    assert found_in(trials, parameters)["x"].overall.share == pytest.approx(plain["x"].overall.share, abs=0.1)


def test_the_same_trials_give_the_same_shares() -> None:
    trials = random_trials(NESTED, nested_loss, 30)
    assert found_in(trials, NESTED) == found_in(trials, NESTED)


@pytest.mark.parametrize("package", ["optuna", "sklearn"])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SpecError, match=rf"needs {package}: pip install 'tunesmith\[advice\]'"):
        found_in(random_trials(NESTED, nested_loss, 20), NESTED)
