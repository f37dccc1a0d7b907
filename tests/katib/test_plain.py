"""Plain experiments of Katib's: parameters become a space, candidates the texts that Katib's own services would write."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.katib.experiments import Status, bare, plain, trial_of
from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.environment import NAMESPACE
from tunesmith.katib.study_view import read_plan, read_trials
from tunesmith.strategies.gp import GP
from tunesmith.strategies.random import Random
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Objective, State


def number(kind: str, low: str, high: str, step: str = "", distribution: str | None = None) -> dict[str, Any]:
    return {"type": kind, "min": low, "max": high, "step": step} | ({"distribution": distribution} if distribution else {})


def texts(form: dict[str, Any], count: int = 300) -> list[str]:
    """What a parameter of this form is given."""
    plan = read_plan(plain({"p": form}))
    rng = np.random.default_rng(0)
    return [plan.code.write(plan.space.sample(rng))["p"] for _ in range(count)]


# The parameters of Katib 0.19's examples.
EXAMPLES = {
    "random": {"lr": number("double", "0.01", "0.05"), "momentum": number("double", "0.5", "0.9")},
    "grid": {"lr": number("double", "0.01", "0.05", "0.005"), "momentum": number("double", "0.5", "0.9", "0.1")},
    "hyperopt-distribution": {
        "lr": number("double", "0.01", "0.05", "0.01", "normal"),
        "momentum": number("double", "0.001", "1", "", "uniform"),
        "epochs": number("int", "1", "3", "", "logUniform"),
        "batch_size": number("int", "32", "64", "", "logNormal"),
    },
    "optuna-distribution": {
        "lr": number("double", "1", "5", "0.1", "uniform"),
        "momentum": number("double", "0.001", "3", "", "logUniform"),
        "epochs": number("int", "1", "3", "", "uniform"),
        "batch_size": number("int", "32", "64", "", "logUniform"),
    },
    "older ones": {
        "--lr": number("double", "0.01", "0.03"),
        "--num-layers": number("int", "2", "5"),
        "--optimizer": {"type": "categorical", "list": ["sgd", "adam", "ftrl"]},
        "--batch": {"type": "discrete", "list": ["16", "32.0", "0.10"]},
    },
}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("algorithm", ["tunesmith-random", "tunesmith-tpe"])
def test_every_parameter_gets_a_value_within_what_the_user_allows(name: str, algorithm: str) -> None:
    experiment = plain(EXAMPLES[name], algorithm)
    plan = read_plan(experiment)
    rng = np.random.default_rng(0)
    for _ in range(200):
        candidate = plan.space.sample(rng)
        written = plan.code.write(candidate)
        assert list(written) == list(EXAMPLES[name])
        assert plan.code.read(written) == candidate
        for key, form in EXAMPLES[name].items():
            if "list" in form:
                assert written[key] in form["list"]
            else:
                assert float(form["min"]) <= float(written[key]) <= float(form["max"])


def test_whole_numbers_are_written_without_a_point_and_both_ends_come_up() -> None:
    assert set(texts(number("int", "2", "5"))) == {"2", "3", "4", "5"}
    assert set(texts(number("int", "-1", "3", "2"))) == {"-1", "1", "3"}
    assert set(texts(number("int", "1", "3", "", "logUniform"))) == {"1", "2", "3"}
    assert set(texts(number("int", "0", "6", "2", "normal"))) == {"0", "2", "4", "6"}


def test_steps_are_kept_to_the_digit() -> None:
    assert set(texts(number("double", "0.1", "0.5", "0.1"))) == {"0.1", "0.2", "0.3", "0.4", "0.5"}
    assert set(texts(number("double", "0.01", "0.05", "0.01", "normal"), 3000)) == {"0.01", "0.02", "0.03", "0.04", "0.05"}


def test_numbers_are_written_as_pythons_services_write_them() -> None:
    assert texts(number("double", "3", "3"), 1) == ["3.0"]
    assert texts(number("double", "1e-7", "1e-7"), 1) == ["1e-07"]
    assert texts(number("int", "7", "7"), 1) == ["7"]
    assert all(text == str(float(text)) for text in texts(number("double", "1e-8", "1", "", "logUniform")))


def test_options_are_written_as_the_user_wrote_them() -> None:
    assert set(texts({"type": "discrete", "list": ["0.10", "1", "1.0"]})) == {"0.10", "1", "1.0"}
    assert set(texts({"type": "categorical", "list": ["a b", "'", "a b"]})) == {"a b", "'"}


def test_a_logarithmic_distribution_spreads_over_the_orders_of_magnitude() -> None:
    values = [float(text) for text in texts(number("double", "1e-6", "1", "", "logUniform"), 1000)]
    assert 0.4 < np.mean(np.array(values) < 1e-3) < 0.6


@pytest.mark.parametrize("scale", ["normal", "logNormal"])
def test_a_normal_distribution_has_its_bounds_three_deviations_from_its_mean(scale: str) -> None:
    low, high = (1.0, 7.0) if scale == "normal" else (math.exp(1.0), math.exp(7.0))
    values = np.array([float(text) for text in texts(number("double", repr(low), repr(high), "", scale), 4000)])
    values = values if scale == "normal" else np.log(values)
    assert abs(np.mean(values) - 4) < 0.06
    assert abs(np.std(values) - 1) < 0.05


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(0, 40), st.sampled_from(["uniform", "normal"]), st.floats(0, 1))
def test_a_stepped_number_stays_within_its_bounds(low: float, width: float, steps: int, scale: str, unit: float) -> None:
    step = repr(width / steps) if steps else ""
    experiment = plain({"p": number("double", repr(low), repr(low + width), step, scale)})
    try:
        plan = read_plan(experiment)
    except SpecError as error:
        # A normal distribution's grid begins at zero and may pass by a narrow range.
        if scale == "uniform" or "leaves no value" not in str(error):
            raise
        return
    candidate = plan.space.choose(lambda _, distribution: distribution.quantile(unit))
    written = plan.code.write(candidate)
    assert low - 1e-6 * width <= float(written["p"]) <= low + width * (1 + 1e-6)
    assert plan.code.read(written) == candidate


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (number("double", "a", "1"), "parameters.p.feasibleSpace: min: got 'a'; needs a number"),
        (number("double", "0", ""), "parameters.p.feasibleSpace: max: got ''; needs a number"),
        (number("double", "0", "inf"), "parameters.p.feasibleSpace: max: got 'inf'; needs a number"),
        (number("int", "0.5", "3"), "parameters.p.feasibleSpace: min: got '0.5'; needs a whole number"),
        (number("int", "0", "3", "0.5"), "parameters.p.feasibleSpace: step: got '0.5'; needs a whole number"),
        (number("double", "2", "1"), "parameters.p.feasibleSpace: uniform: low must be less than high"),
        (number("double", "0", "1", "-1"), "parameters.p.feasibleSpace: uniform: step must be positive"),
        (number("double", "0", "1", "0"), "parameters.p.feasibleSpace: uniform: step must be positive"),
        (number("double", "0", "1", "", "logUniform"), "min: got 0; a logarithmic distribution needs a number above 0"),
        (number("int", "0", "9", "", "logNormal"), "min: got 0; a logarithmic distribution needs a number above 0"),
        (number("unknown", "0", "1"), "parameters.p.parameterType: is unknown; one of: double, int, discrete, categorical"),
        ({"type": "categorical", "list": []}, "parameters.p.feasibleSpace: choice: needs at least one option"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(form: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_plan(plain({"p": form}))
    assert message in str(caught.value)


def test_a_name_used_twice_is_refused() -> None:
    twice = plain({"p": number("int", "1", "2")})
    twice.spec.parameter_specs.parameters.append(twice.spec.parameter_specs.parameters[0])
    with pytest.raises(SpecError, match=r"parameters\.p: duplicate name"):
        read_plan(twice)


def test_an_architecture_search_of_katibs_own_is_refused_with_what_to_write_instead() -> None:
    experiment = bare("tunesmith-tpe", {})
    experiment.spec.nas_config.SetInParent()
    with pytest.raises(SpecError, match=r"nasConfig: .* for networks write a Tunesmith search file"):
        read_plan(experiment)


SPACE = {"p": number("double", "0", "1")}


@pytest.mark.parametrize(
    ("settings", "strategy", "seed"),
    [
        ({}, TPE(), 0),
        ({"startup": "3", "gamma": "0.2", "draws": "24", "seed": "4"}, TPE(startup=3, gamma=0.2, draws=24), 4),
        ({"n_startup_trials": "7", "n_ei_candidates": "20", "random_state": "9"}, TPE(startup=7, draws=20), 9),
        ({"n_EI_candidates": "30", "gamma": "0.25", "prior_weight": "1.0"}, TPE(gamma=0.25, draws=30), 0),
        ({"n_startup_trials": "0"}, TPE(startup=1), 0),
        ({"n_initial_points": "5"}, TPE(startup=5), 0),
    ],
)
def test_settings_of_ours_and_of_katibs_services_are_understood(settings: dict[str, str], strategy: TPE, seed: int) -> None:
    plan = read_plan(plain(SPACE, "tunesmith-tpe", **settings))
    assert (plan.strategy, plan.seed) == (strategy, seed)


def test_random_takes_a_seed_alone() -> None:
    plan = read_plan(plain(SPACE, "tunesmith-random", random_state="10"))
    assert (plan.strategy, plan.seed) == (Random(), 10)
    message = r"algorithmSettings\.gamma: unknown key; allowed: seed, and as Katib's names for them: random_state"
    with pytest.raises(SpecError, match=message):
        read_plan(plain(SPACE, "tunesmith-random", gamma="0.1"))


def test_what_scikit_optimizes_service_is_told_is_understood_by_gp() -> None:
    plan = read_plan(plain(SPACE, "tunesmith-gp", n_initial_points="8", base_estimator="GP", acq_func="EI", random_state="3"))
    assert (plan.strategy, plan.seed) == (GP(startup=8), 3)
    with pytest.raises(SpecError, match="acq_func: got 'LCB'; it is always EI here"):
        read_plan(plain(SPACE, "tunesmith-gp", acq_func="LCB"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"acq_func": "EI"}, "algorithmSettings.acq_func: unknown key; allowed: seed, startup, gamma, draws, and as Katib's"),
        ({"gama": "0.1"}, "(did you mean 'gamma'?)"),
        ({"seed": "1", "random_state": "2"}, "algorithmSettings.random_state: says the same as seed; leave one of them out"),
        ({"prior_weight": "2"}, "algorithmSettings.prior_weight: got '2'; it is always 1 here, leave it out"),
        ({"random_state": "-1"}, "algorithmSettings.random_state: got '-1'; needs a whole number from 0"),
        ({"n_startup_trials": "few"}, "algorithmSettings.n_startup_trials: got 'few'"),
        ({"n_startup_trials": "-3"}, "algorithmSettings.n_startup_trials: got -3; needs a whole number from 1"),
        ({"n_EI_candidates": "1.5"}, "algorithmSettings.n_EI_candidates: got '1.5'"),
    ],
)
def test_a_setting_without_an_equivalent_is_refused_with_a_list_of_ours(settings: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_plan(plain(SPACE, "tunesmith-tpe", **settings))
    assert message in str(caught.value)


def test_the_objective_is_the_experiments() -> None:
    assert read_plan(plain(SPACE)).objective == Objective("val_accuracy", "maximize")


MIXED = {
    "x": number("double", "0", "1"),
    "n": number("int", "1", "9", "", "logNormal"),
    "k": {"type": "discrete", "list": ["1", "2"]},
}


def test_trials_come_back_with_values_of_the_spaces_types() -> None:
    experiment = plain(MIXED)
    listed = trial_of(experiment, 0, {"x": "0.5", "n": "3", "k": "2"}, Status.SUCCEEDED, val_accuracy="0.7")
    request = api_pb2.GetSuggestionsRequest(experiment=experiment, trials=[listed])
    (found,) = read_trials(request, read_plan(experiment))
    assert found.trial.candidate == {"x": 0.5, "n": 3, "k": "2"}
    assert [type(value) for value in found.trial.candidate.values()] == [float, int, str]
    assert (found.trial.state, found.trial.metrics) == (State.FINISHED, {"val_accuracy": 0.7})


def test_one_experiments_trials_are_not_those_of_its_namesake_in_another_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = plain(SPACE)
    monkeypatch.setenv(NAMESPACE, "theirs")
    theirs = trial_of(experiment, 0, {"p": "0.5"}, Status.SUCCEEDED, val_accuracy="1")
    monkeypatch.setenv(NAMESPACE, "ours")
    ours = trial_of(experiment, 1, {"p": "0.5"}, Status.SUCCEEDED, val_accuracy="0")
    bundled = api_pb2.Trial(name="exp-k2x8f4qz", status=theirs.status, spec=theirs.spec)
    request = api_pb2.GetSuggestionsRequest(experiment=experiment, trials=[theirs, ours, bundled])
    assert [item.name for item in read_trials(request, read_plan(experiment))] == [ours.name]
