"""What every strategy bears: odd objectives, failures, tiny and huge searches, trials that end together."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.contracts.test_strategies import FINITE, FINITE_SIZE, OBJECTIVE, PACKAGE, SPACES, history, judge, made, texts
from tunesmith.errors import SpaceExhausted
from tunesmith.registry import discover
from tunesmith.spaces._space import canonical
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import State, StudyView, Trial

WIDE = Parameters({f"x{i}": {"uniform": [0, 1]} if i % 4 else {"choice": ["a", "b", "c"]} for i in range(100)})


@pytest.fixture(params=discover(PACKAGE))
def strategy(request: pytest.FixtureRequest) -> Strategy:
    """Every strategy that there is, with its default settings."""
    return made(request.param)


def told(study: StudyView, losses: Sequence[float]) -> StudyView:
    """The study with all trials finished, their losses taken from `losses` in turn."""
    trials = tuple(replace(t, state=State.FINISHED, metrics={"loss": losses[t.number % len(losses)]}) for t in study.trials)
    return replace(study, trials=trials)


def finished(number: int, text: str) -> Trial:
    return Trial(number, json.loads(text), State.FINISHED, {"loss": judge(json.loads(text))})


@pytest.mark.parametrize(
    "losses",
    [
        [0.0],
        [1e300, -1e300, 1e300, 0.0],
        [1e-300, 2e-300, 5e-324],
        [1e300, 1e-300, 1.0],
        [1.0, 1.0 + 1e-16, 1.0 - 1e-16],
        [math.nan, 1.0, math.inf, -math.inf, 2.0],
    ],
    ids=["constant", "huge", "tiny", "of any scale", "equal but for rounding", "not finite"],
)
def test_odd_objectives_are_borne(strategy: Strategy, losses: list[float]) -> None:
    study = told(history(SPACES["conditional"], 24), losses)
    proposed = texts(strategy, study, 2)
    assert len(set(proposed)) == 2
    assert all(math.isfinite(value) for text in proposed for value in json.loads(text).values() if isinstance(value, float))


def test_a_loss_in_other_units_changes_nothing_much(strategy: Strategy) -> None:
    study = told(history(SPACES["flat"], 24), [0.5, 0.25, 0.75, 0.125])
    for trial in texts(strategy, told(study, [0.5e200, 0.25e200, 0.75e200, 0.125e200]), 2):
        assert set(json.loads(trial)) == {"x", "lr", "n", "a"}


def test_failures_alone_are_borne(strategy: Strategy) -> None:
    study = StudyView(SPACES["conditional"], OBJECTIVE)
    for number in range(16):
        (text,) = texts(strategy, study)
        trial = Trial(number, json.loads(text), State.FAILED, reason="broken")
        study = replace(study, trials=(*study.trials, trial), issued=number + 1)
    assert len({trial.key for trial in study.trials}) == 16


@pytest.mark.parametrize("budget", [1, 3])
def test_a_budget_smaller_than_the_first_design_is_kept_to(strategy: Strategy, budget: int) -> None:
    study = StudyView(SPACES["flat"], OBJECTIVE, budget=budget)
    assert len(set(texts(strategy, study, budget))) == budget


@pytest.mark.parametrize("parallel", [1, 5, 256])
def test_a_finite_space_ends_before_a_budget_that_is_larger(strategy: Strategy, parallel: int) -> None:
    study = StudyView(FINITE, OBJECTIVE, budget=FINITE_SIZE + 5, parallel=parallel)
    proposed = texts(strategy, study, FINITE_SIZE)
    assert set(proposed) == {canonical(candidate) for candidate in FINITE.enumerate()}
    trials = tuple(finished(number, text) for number, text in enumerate(proposed))
    with pytest.raises(SpaceExhausted, match="all 12 candidates of the space"):
        strategy.propose(replace(study, trials=trials, issued=FINITE_SIZE), 1)


def test_a_finite_branch_that_is_used_up_does_not_end_the_search(strategy: Strategy) -> None:
    space = Parameters({"kind": {"choice": {"good": {"n": {"int": [1, 4]}}, "bad": {"x": {"uniform": [0, 1]}}}}})
    study = StudyView(space, OBJECTIVE)
    for number in range(24):
        (text,) = texts(strategy, study)
        candidate = json.loads(text)
        loss = 0.0 if candidate["kind"] == "good" else 1.0 + candidate["x"]
        trial = Trial(number, candidate, State.FINISHED, {"loss": loss})
        study = replace(study, trials=(*study.trials, trial), issued=number + 1)
        if type(strategy).__name__ == "Grid" and number == 8:
            return


@pytest.mark.parametrize("past", [0, 30])
def test_a_hundred_parameters_are_borne(strategy: Strategy, past: int) -> None:
    study = history(WIDE, past)
    for text in texts(strategy, study, 2):
        WIDE.realize(json.loads(text))


def test_two_trials_that_end_at_the_same_moment_may_be_told_in_any_order(strategy: Strategy) -> None:
    study = history(SPACES["conditional"], 20)
    first, second = texts(strategy, study, 2)
    ends = [finished(20, first), finished(21, second)]
    answers = [texts(strategy, replace(study, trials=(*study.trials, *order), issued=22), 2) for order in (ends, ends[::-1])]
    assert answers[0] == answers[1]
    assert len({first, second, *answers[0]}) == 4


def test_a_strategy_rebuilt_from_the_history_goes_on_as_one_kept_alive_with_several_workers(strategy: Strategy) -> None:
    study = StudyView(SPACES["conditional"], OBJECTIVE, parallel=3, budget=60)
    name = type(strategy).__module__.rpartition(".")[2]
    for number in range(24):
        (text,) = texts(strategy, study)
        known = [Trial(t.number, json.loads(t.key), t.state, dict(t.metrics)) for t in study.trials]
        assert texts(made(name), replace(study, trials=tuple(known))) == [text]
        trials = {**{t.number: t for t in study.trials}, number: Trial(number, json.loads(text))}
        # Of the three that run the middle one ends first, and one in four fails.
        for ready in [n for n, t in trials.items() if not t.done and n <= number - 2 + (n % 3 == 1)]:
            state = State.FAILED if ready % 4 == 3 else State.FINISHED
            metrics = {} if state is State.FAILED else {"loss": judge(dict(trials[ready].candidate))}
            trials[ready] = replace(trials[ready], state=state, metrics=metrics)
        study = replace(study, trials=tuple(trials.values()), issued=number + 1)
