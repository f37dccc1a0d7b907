"""What every strategy promises, checked for each one found: a new file in tunesmith/strategies is tested at once."""

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from statistics import median

import pytest

from tunesmith.errors import SpaceExhausted
from tunesmith.registry import build, discover
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space, canonical
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import Objective, State, StudyView, Trial

PACKAGE = "tunesmith.strategies"
SPACES: dict[str, Space] = {
    "flat": Parameters(
        {"x": {"uniform": [-1, 1]}, "lr": {"loguniform": [1e-4, 1]}, "n": {"int": [1, 50]}, "a": {"choice": [1, True]}}
    ),
    "conditional": Parameters(
        {
            "depth": {"int": [1, 3]},
            "optimizer": {
                "choice": {
                    "sgd": {
                        "momentum": {"normal": [0.9, 0.1], "clip": [0, 1]},
                        "decay": {"choice": {"cosine": {"warm": {"int": [0, 9]}}, "none": {}}},
                    },
                    "adam": {"beta": {"uniform": [0.8, 1], "step": 0.01}, "eps": {"lognormal": [-16, 2]}},
                }
            },
        }
    ),
    "cells": NASBench201(learning_rate={"loguniform": [1e-4, 1e-2]}),
}
FINITE = Parameters(
    {"depth": {"int": [1, 3]}, "cell": {"choice": {"gru": {"units": {"choice": [8, 16]}}, "lstm": {}, "none": {}}}}
)
FINITE_SIZE = 3 * (2 + 1 + 1)
OBJECTIVE = Objective("loss")

Judge = Callable[[dict[str, Value]], float]


def made(name: str) -> Strategy:
    return build(PACKAGE, name, Strategy, {}, "strategy")


def name_of(strategy: Strategy) -> str:
    return type(strategy).__module__.rpartition(".")[2]


@pytest.fixture(params=discover(PACKAGE))
def strategy(request: pytest.FixtureRequest) -> Strategy:
    """Every strategy that there is, with its default settings."""
    return made(request.param)


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> Space:
    return SPACES[request.param]


def judge(candidate: dict[str, Value]) -> float:
    """A loss that depends on every value, the same in any process."""
    return random.Random(canonical(candidate)).random()


def ended(number: int, candidate: dict[str, Value]) -> Trial:
    """One trial with one of the ways to end, by its number."""
    loss = judge(candidate)
    ways: list[tuple[State, dict[str, float]]] = [
        (State.FINISHED, {"loss": loss, "time": 1.0}),
        (State.FINISHED, {"loss": loss}),
        (State.FINISHED, {"loss": loss}),
        (State.STOPPED, {"loss": loss + 1}),
        (State.FAILED, {}),
        (State.FAILED, {"loss": math.nan}),
        (State.RUNNING, {}),
        (State.FINISHED, {"loss": math.inf}),
        (State.STOPPED, {}),
    ]
    state, metrics = ways[number % len(ways)]
    return Trial(number, candidate, state, metrics)


def history(space: Space, count: int, seed: int = 0) -> StudyView:
    """A study of `count` different random trials that ended in every way there is."""
    rng = StudyView(space, OBJECTIVE, seed=seed).rng()
    trials: dict[str, Trial] = {}
    while len(trials) < count:
        candidate = space.sample(rng)
        trials.setdefault(canonical(candidate), ended(len(trials), candidate))
    return StudyView(space, OBJECTIVE, tuple(trials.values()), issued=count, seed=seed)


def candidates(strategy: Strategy, study: StudyView, count: int = 1) -> list[dict[str, Value]]:
    return [dict(proposal.candidate) for proposal in strategy.propose(study, count)]


def texts(strategy: Strategy, study: StudyView, count: int = 1) -> list[str]:
    return [canonical(candidate) for candidate in candidates(strategy, study, count)]


def play(strategy: Strategy, study: StudyView, count: int, judge: Judge) -> StudyView:
    """Go on with a study for `count` trials, one after the other."""
    for _ in range(count):
        (candidate,) = candidates(strategy, study)
        trial = Trial(study.issued, candidate, State.FINISHED, {"loss": judge(candidate)})
        study = replace(study, trials=(*study.trials, trial), issued=study.issued + 1)
    return study


@pytest.mark.parametrize("past", [0, 3, 30])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_it_gives_exactly_the_number_asked_for_and_all_fit_the_space(
    strategy: Strategy, space: Space, past: int, count: int
) -> None:
    proposed = candidates(strategy, history(space, past), count)
    assert len(proposed) == count
    for candidate in proposed:
        space.realize(candidate)
        assert json.loads(json.dumps(candidate, allow_nan=False)) == candidate


def test_a_proposal_is_new(strategy: Strategy, space: Space) -> None:
    study = history(space, 30)
    proposed = texts(strategy, study, 8)
    assert len(set(proposed)) == 8
    assert not {trial.key for trial in study.trials} & set(proposed)


@pytest.mark.parametrize("past", [0, 30])
def test_the_same_study_gets_the_same_answer(strategy: Strategy, space: Space, past: int) -> None:
    study = history(space, past)
    again = made(name_of(strategy))
    assert texts(strategy, study, 3) == texts(again, study, 3) == texts(strategy, study, 3)


def test_another_seed_gets_another_answer(strategy: Strategy, space: Space) -> None:
    study = history(space, 0)
    assert texts(strategy, study, 3) != texts(strategy, replace(study, seed=1), 3)


def test_another_process_gives_the_same_answer_whatever_its_hash_seed(strategy: Strategy) -> None:
    name = name_of(strategy)
    study = history(SPACES["conditional"], 24)
    trials = [[t.number, t.candidate, t.state, t.metrics] for t in study.trials]
    script = (
        "import json, sys; from tunesmith.registry import build; from tunesmith.spaces.parameters import Parameters;"
        "from tunesmith.strategies._strategy import Strategy; from tunesmith.study import *;"
        "form, trials = json.load(sys.stdin);"
        "trials = tuple(Trial(n, c, State(s), m) for n, c, s, m in trials);"
        "study = StudyView(Parameters(form['parameters']), Objective('loss'), trials, issued=len(trials));"
        f"print(json.dumps([p.candidate for p in build({PACKAGE!r}, {name!r}, Strategy, {{}}, 'x').propose(study, 4)]))"
    )
    expected = [json.loads(text) for text in texts(strategy, study, 4)]
    for hash_seed in ("4711",):
        done = subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps([study.space.to_json(), trials]),
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == expected


def test_an_unchanged_history_is_not_answered_twice_alike(strategy: Strategy, space: Space) -> None:
    study = history(space, 30)
    asked = [texts(strategy, replace(study, issued=30 + ahead))[0] for ahead in range(6)]
    assert len(set(asked)) == 6


@pytest.mark.parametrize("past", [0, 9, 30])
def test_several_at_once_are_those_asked_one_by_one_with_the_earlier_ones_running(
    strategy: Strategy, space: Space, past: int
) -> None:
    study = history(space, past)
    singles = []
    for _ in range(4):
        (candidate,) = candidates(strategy, study)
        singles.append(canonical(candidate))
        study = replace(study, trials=(*study.trials, Trial(study.issued, candidate)), issued=study.issued + 1)
    assert texts(strategy, history(space, past), 4) == singles


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("metrics", [{}, {"loss": math.nan}, {"loss": math.inf}, {"loss": -math.inf}, {"other": 1.0}])
def test_trials_without_a_finite_objective_are_borne(strategy: Strategy, state: State, metrics: dict[str, float]) -> None:
    study = history(SPACES["conditional"], 16)
    trials = tuple(replace(trial, state=state, metrics=metrics) for trial in study.trials)
    assert len(candidates(strategy, replace(study, trials=trials), 2)) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_trial_without_a_finite_objective_counts_as_failed(strategy: Strategy, value: float) -> None:
    study = history(SPACES["conditional"], 30)
    odd = [trial.number % 3 == 0 for trial in study.trials]
    lost, failed = (
        tuple(
            replace(trial, state=state, metrics=metrics) if hit else trial for trial, hit in zip(study.trials, odd, strict=True)
        )
        for state, metrics in ((State.FINISHED, {"loss": value}), (State.FAILED, {}))
    )
    assert texts(strategy, replace(study, trials=lost), 3) == texts(strategy, replace(study, trials=failed), 3)


def test_equal_losses_are_borne(strategy: Strategy, space: Space) -> None:
    study = play(strategy, history(space, 0), 16, lambda candidate: 0.5)
    assert len({trial.key for trial in study.trials}) == 16


def test_a_maximised_objective_is_its_negative_minimised(strategy: Strategy, space: Space) -> None:
    study = history(space, 30)
    turned = tuple(replace(trial, metrics={name: -value for name, value in trial.metrics.items()}) for trial in study.trials)
    other = replace(study, objective=Objective("loss", "maximize"), trials=turned)
    assert texts(strategy, study, 3) == texts(strategy, other, 3)


def test_the_order_of_the_list_does_not_matter(strategy: Strategy, space: Space) -> None:
    study = history(space, 30)
    shuffled = list(study.trials)
    random.Random(0).shuffle(shuffled)
    assert texts(strategy, study, 3) == texts(strategy, replace(study, trials=tuple(shuffled)), 3)


def test_a_list_that_lags_behind_is_borne(strategy: Strategy, space: Space) -> None:
    study = history(space, 30)
    lagging = replace(study, trials=study.trials[:-4])
    proposed = candidates(strategy, lagging, 3)
    assert len(proposed) == 3
    for candidate in proposed:
        space.realize(candidate)


def test_a_strategy_kept_alive_answers_as_one_made_anew(strategy: Strategy, space: Space) -> None:
    study = play(strategy, history(space, 0), 20, judge)
    name = name_of(strategy)
    view = StudyView(space, OBJECTIVE)
    for trial in study.trials:
        fresh = made(name)
        assert texts(fresh, view) == [trial.key]
        view = replace(view, trials=(*view.trials, trial), issued=view.issued + 1)


@pytest.mark.parametrize("state", [State.FINISHED, State.FAILED, State.RUNNING])
def test_a_finite_space_ends_after_every_candidate_was_proposed_once(strategy: Strategy, state: State) -> None:
    study = StudyView(FINITE, OBJECTIVE)
    for number in range(FINITE_SIZE):
        (candidate,) = candidates(strategy, study)
        trial = Trial(number, candidate, state, {"loss": judge(candidate)} if state is State.FINISHED else {})
        study = replace(study, trials=(*study.trials, trial), issued=number + 1)
    assert {trial.key for trial in study.trials} == {canonical(candidate) for candidate in FINITE.enumerate()}
    with pytest.raises(SpaceExhausted):
        strategy.propose(study, 1)


def test_a_finite_space_may_be_asked_for_all_at_once_but_not_for_more(strategy: Strategy) -> None:
    study = StudyView(FINITE, OBJECTIVE)
    assert len(set(texts(strategy, study, FINITE_SIZE))) == FINITE_SIZE
    with pytest.raises(SpaceExhausted):
        strategy.propose(study, FINITE_SIZE + 1)


def test_a_space_of_one_likely_value_ends_too(strategy: Strategy) -> None:
    space = Parameters({"x": {"normal": [0, 0.001], "step": 1}})
    study = StudyView(space, OBJECTIVE, (Trial(0, {"x": 0.0}, State.FINISHED, {"loss": 1.0}),), issued=1)
    with pytest.raises(SpaceExhausted):
        strategy.propose(study, 1)


def test_a_thousand_past_trials_are_handled(strategy: Strategy) -> None:
    study = history(SPACES["conditional"], 1000)
    assert len(set(texts(strategy, study, 2))) == 2


def test_the_study_is_not_changed(strategy: Strategy, space: Space) -> None:
    study = history(space, 20)
    before = repr(study.trials)
    strategy.propose(study, 3)
    assert repr(study.trials) == before
    assert (study.issued, len(study.trials)) == (20, 20)


QUADRATIC = Parameters({f"x{i}": {"uniform": [-5, 5]} for i in range(3)} | {"kind": {"choice": ["a", "b", "c"]}})


def quadratic(candidate: dict[str, Value]) -> float:
    """A bowl with its bottom away from the middle, one option of three being right."""
    values = [float(candidate[f"x{i}"] or 0) for i in range(3)]
    return sum((value - goal) ** 2 for value, goal in zip(values, (2, -1, 3), strict=True)) + 5 * (candidate["kind"] != "b")


# What proposes slowly has to learn faster.
TRIALS = {"gp": 25, "auto": 25}


@lru_cache(maxsize=16)
def best_found(name: str, seed: int) -> float:
    study = play(made(name), StudyView(QUADRATIC, OBJECTIVE, seed=seed), TRIALS.get(name, 60), quadratic)
    return min(study.losses().values())


@pytest.mark.parametrize("name", [name for name in discover(PACKAGE) if name not in ("random", "sobol", "grid")])
def test_a_strategy_that_learns_beats_random_on_a_quadratic(name: str) -> None:
    seeds = range(5)
    assert median(best_found(name, seed) for seed in seeds) < 0.5 * median(best_found("random", seed) for seed in seeds)
