"""The Python front door, as a user of Hyperopt or Hyperas would try it."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tunesmith
from tunesmith.errors import SpecError, StudyError
from tunesmith.study import State


def test_the_textbook_quadratic_is_found() -> None:
    result = tunesmith.minimize(lambda x: (x - 1) ** 2, tunesmith.normal(0, 10), strategy="tpe", trials=500)
    assert abs(result.best_candidate["x"] - 1) < 0.05
    assert result.best_value == min(trial.metrics["loss"] for trial in result.study.trials())


def test_an_objective_invalid_somewhere_fails_there_and_is_minimized_elsewhere() -> None:
    def objective(x):
        return {"status": "fail", "reason": "not defined at 0"} if x == 0 else {"loss": 1 / x, "square": x * x}

    result = tunesmith.minimize(objective, tunesmith.integer(-3, 3), strategy="random", trials=100)
    assert result.best_candidate == {"x": -1}
    trials = result.study.trials()
    assert len(trials) == 7, "a finite space ends the search"
    assert [trial.reason for trial in trials if trial.state is State.FAILED] == ["not defined at 0"]
    assert trials[result.outcome.best.number].metrics["square"] == 1


def test_nested_choices_reach_the_function_as_one_flat_dictionary() -> None:
    seen = []
    space = {
        "optimizer": tunesmith.choice({"sgd": {"momentum": tunesmith.uniform(0, 1)}, "adam": {}}),
        "n": tunesmith.logint(1, 64),
    }
    tunesmith.minimize(lambda candidate: seen.append(dict(candidate)) or 0.0, space, trials=12)
    assert {tuple(candidate) for candidate in seen} == {("optimizer", "momentum", "n"), ("optimizer", "n")}


def test_the_same_call_on_a_study_folder_goes_on_instead_of_beginning_again(tmp_path: Path) -> None:
    calls = []

    def objective(candidate):
        calls.append(candidate)
        return candidate["x"]

    space = {"x": tunesmith.uniform(0, 1)}
    first = tunesmith.minimize(objective, space, trials=5, study=tmp_path / "study").study.trials()
    again = tunesmith.minimize(objective, space, trials=8, study=tmp_path / "study")
    assert len(calls) == 8
    assert again.study.trials()[:5] == first


def test_a_function_travels_to_workers_with_what_it_refers_to() -> None:
    offset = 3.0
    result = tunesmith.minimize(
        lambda candidate: (candidate["x"] - offset) ** 2, {"x": tunesmith.uniform(0, 5)}, trials=6, parallel=2
    )
    assert math.isclose(result.best_value, (result.best_candidate["x"] - 3) ** 2)


def test_a_time_limit_of_a_trial_is_kept() -> None:
    def objective(candidate):
        while candidate["x"] == "slow":
            pass
        return 1.0

    result = tunesmith.minimize(objective, {"x": tunesmith.choice(["slow", "fast"])}, trials=2, timeout=0.5)
    assert result.best_candidate == {"x": "fast"}
    assert [trial.reason for trial in result.study.trials() if trial.state is State.FAILED] == ["time-out: more than 0.5 s"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"strategy": "tpee"}, "minimize: strategy.name: 'tpee' is unknown; allowed: auto, "),
        ({"strategy": "tpee"}, "(did you mean 'tpe'?)"),
        ({"trials": 0}, "minimize: budget.trials: got 0"),
        ({"memory": "much"}, "needs a quantity of memory such as 512Mi or 8Gi"),
        ({"space": {"x": [0, 1]}}, "minimize: space.parameters.x: got [0, 1]; a distribution is written as"),
        ({"space": 3}, "space: got 3; needs a dictionary of distributions"),
        ({"strategy": {"name": "tpe", "gama": 0.2}}, "did you mean 'gamma'?"),
    ],
)
def test_a_mistake_in_the_arguments_is_named(arguments: dict, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        tunesmith.minimize(**{"function": lambda candidate: 0.0, "space": {"x": tunesmith.uniform(0, 1)}, **arguments})
    assert words in str(caught.value)


def test_a_search_without_a_good_trial_says_why() -> None:
    with pytest.raises(StudyError, match=r"none of 3 trials finished; the last failure: ZeroDivisionError"):
        tunesmith.minimize(lambda candidate: 1 / 0, {"x": tunesmith.uniform(0, 1)}, trials=3)


def test_a_search_of_a_function_has_no_model() -> None:
    with pytest.raises(SpecError, match="trained no networks"):
        _ = tunesmith.minimize(lambda x: x, tunesmith.uniform(0, 1), trials=1).best_model


def test_a_result_is_advised_on_and_its_next_space_is_searched() -> None:
    space = {"x": tunesmith.uniform(0, 1), "kind": tunesmith.choice({"a": {"y": tunesmith.uniform(0, 1)}, "b": {}})}
    result = tunesmith.minimize(lambda c: (c["x"] - 0.3) ** 2 + (c["kind"] == "a"), space, strategy="random", trials=60)
    advice = tunesmith.advise(result)
    assert list(advice.importance)[:2] == ["kind", "x"]
    assert advice.space is not None
    assert set(advice.space.sample(np.random.default_rng(0))) == {"x", "kind"}
    again = tunesmith.minimize(lambda c: (c["x"] - 0.3) ** 2, advice.space, trials=5)
    assert again.best_value < 0.1


def test_a_choice_that_opens_parameters_reaches_the_function_whole() -> None:
    seen = []
    space = tunesmith.choice({"sgd": {"momentum": tunesmith.uniform(0, 1)}, "adam": {}})
    tunesmith.minimize(lambda candidate: seen.append(dict(candidate)) or 0.0, space, trials=12)
    assert {tuple(candidate) for candidate in seen} == {("x", "momentum"), ("x",)}
    assert {candidate["x"] for candidate in seen} == {"sgd", "adam"}


def test_another_function_on_a_study_folder_is_refused(tmp_path: Path) -> None:
    space = {"x": tunesmith.uniform(0, 1)}
    tunesmith.minimize(lambda candidate: candidate["x"], space, trials=2, study=tmp_path / "study")
    with pytest.raises(StudyError, match=r"evaluation: the function's code was edited"):
        tunesmith.minimize(lambda candidate: candidate["x"] + 1, space, trials=2, study=tmp_path / "study")


SCRIPT = """
import tunesmith

def named(candidate):
    return candidate["x"] + (candidate["kind"] in {"a", "b", "c"})

unnamed = lambda candidate: candidate["x"] + (candidate["kind"] in {"a", "b", "c"})
space = {"x": tunesmith.uniform(0, 1), "kind": tunesmith.choice(["a", "d"])}
for name, function in {"named": named, "unnamed": unnamed}.items():
    print(len(tunesmith.minimize(function, space, trials=3, study=name).study.trials()))
"""


def run_script(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(text)
    return subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_script_goes_on_in_a_new_process_with_more_trials_but_not_with_another_function(tmp_path: Path) -> None:
    assert run_script(tmp_path, SCRIPT).stdout.split() == ["3", "3"]
    more = run_script(tmp_path, SCRIPT.replace("trials=3", "trials=5"))
    assert more.stdout.split() == ["5", "5"], more.stderr
    for edited in ('return candidate["x"]', 'candidate: candidate["x"]'):
        refused = run_script(tmp_path, SCRIPT.replace(edited, edited + " * 2"))
        assert "the function's code was edited" in refused.stderr
