"""What every strategy promises where there are several objectives, or constraints: each one found is tested."""

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from statistics import median

import numpy as np
import pytest

from tests.contracts.test_strategies import PACKAGE, candidates, history, made, name_of, space, strategy, texts
from tunesmith.aims import Constraint, Objective
from tunesmith.pareto import hypervolume
from tunesmith.registry import discover
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space, canonical
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import State, StudyView, Trial

__all__ = ["space", "strategy"]

# What learns nothing from results cannot come nearer to a front than chance; `auto` is one of the others.
BLIND = {"random", "sobol", "grid", "auto"}
LEARNERS = [name for name in discover(PACKAGE) if name not in BLIND]
# So many seeds, of those whose proposals take long fewer.
SEEDS, FEW = 5, {"gp": 2}
FAST = Constraint("latency", "<=", 4)
SIZE = Objective("size", "maximize")
CASES = {
    "objectives": {"others": (Objective("latency"),)},
    "constraint": {"constraints": (FAST,)},
    "both": {"others": (Objective("latency"), SIZE), "constraints": (FAST, Constraint("size", ">=", 0.2))},
}


def figures(candidate: Mapping[str, Value]) -> dict[str, float]:
    drawn = random.Random(canonical(candidate) + "/latency")
    return {"latency": 10 * drawn.random(), "size": drawn.random()}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> str:
    return request.param


def study_of(space: Space, case: str, count: int) -> StudyView:
    """A study of `count` random trials that ended in every way, some of them without a metric that is asked for."""
    study = history(space, count)
    trials = tuple(replace(trial, metrics=_with_figures(trial)) for trial in study.trials)
    return replace(study, trials=trials, **CASES[case])  # pyright: ignore[reportArgumentType]


def _with_figures(trial: Trial) -> dict[str, float]:
    more = figures(trial.candidate)
    if trial.number % 7 == 3:
        more["latency"] = math.nan
    if trial.number % 11 == 5:
        del more["size"]
    return trial.metrics | more if trial.metrics else {}


@pytest.mark.parametrize("past", [0, 5, 40])
def test_proposals_fit_the_space_are_new_and_repeat(strategy: Strategy, space: Space, case: str, past: int) -> None:
    study = study_of(space, case, past)
    proposed = candidates(strategy, study, 3)
    for candidate in proposed:
        space.realize(candidate)
    keys = [canonical(candidate) for candidate in proposed]
    assert len(set(keys) - {trial.key for trial in study.trials}) == 3
    assert texts(made(name_of(strategy)), study, 3) == keys


def test_several_at_once_are_those_asked_one_by_one(strategy: Strategy, space: Space, case: str) -> None:
    study = study_of(space, case, 40)
    expected = texts(strategy, study, 3)
    for key in expected:
        (candidate,) = candidates(strategy, study)
        assert canonical(candidate) == key
        study = study.with_running(candidate)


def test_the_order_of_the_list_does_not_matter(strategy: Strategy, case: str) -> None:
    study = study_of(SPACE, case, 40)
    shuffled = list(study.trials)
    random.Random(0).shuffle(shuffled)
    assert texts(strategy, study, 2) == texts(strategy, replace(study, trials=tuple(shuffled)), 2)


def test_a_maximised_objective_is_its_negative_minimised(strategy: Strategy) -> None:
    study = replace(study_of(SPACE, "objectives", 40), others=(SIZE,))
    turned = tuple(replace(t, metrics={n: -v if n == "size" else v for n, v in t.metrics.items()}) for t in study.trials)
    other = replace(study, trials=turned, others=(Objective("size"),))
    assert texts(strategy, study, 2) == texts(strategy, other, 2)


@pytest.mark.parametrize(
    "metrics", [{"loss": 1.0}, {"loss": 1.0, "latency": math.nan}, {"loss": 1.0, "latency": 9.0, "size": 0}]
)
def test_a_study_in_which_nothing_counts_is_borne(strategy: Strategy, case: str, metrics: dict[str, float]) -> None:
    study = study_of(SPACE, case, 30)
    trials = tuple(replace(trial, state=State.FINISHED, metrics=metrics) for trial in study.trials)
    assert len(set(texts(strategy, replace(study, trials=trials), 2))) == 2


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_objectives_of_any_scale_are_borne(strategy: Strategy, case: str, scale: float) -> None:
    study = study_of(SPACE, case, 30)
    trials = tuple(replace(t, metrics={n: v * scale for n, v in t.metrics.items()}) for t in study.trials)
    assert len(set(texts(strategy, replace(study, trials=trials), 2))) == 2


SPACE = Parameters({f"x{i}": {"uniform": [0, 1]} for i in range(4)} | {"kind": {"choice": ["a", "b", "c"]}})


def trade_off(candidate: Mapping[str, Value]) -> dict[str, float]:
    """Two bowls whose bottoms lie apart, one option being right for both: the front is the line between the bottoms."""
    values = np.array([float(candidate[f"x{i}"] or 0) for i in range(4)])
    wrong = 0.3 * (candidate["kind"] != "b")
    return {"loss": float(((values - 0.2) ** 2).mean()) + wrong, "latency": float(((values - 0.6) ** 2).mean()) + wrong}


def play(name: str, study: StudyView, count: int) -> StudyView:
    learner = made(name)
    for _ in range(count):
        (candidate,) = candidates(learner, study)
        trial = Trial(study.issued, candidate, State.FINISHED, trade_off(candidate))
        study = replace(study, trials=(*study.trials, trial), issued=study.issued + 1)
    return study


# What learns in blocks needs several of them.
TRIALS = {"reinforce": 150}

# Of the points between the bottoms: losses t² and (0.4 - t)² for t from 0 to 0.4.
LINE = np.linspace(0, 0.4, 200)
BEST_VOLUME = hypervolume(np.stack([LINE**2, (0.4 - LINE) ** 2], axis=1), np.array([0.2, 0.2]))


@lru_cache
def missing_volume(name: str, trials: int) -> float:
    """The median of what is missing of the front's hypervolume after so many trials."""
    found = []
    for seed in range(FEW.get(name, SEEDS)):
        study = play(name, StudyView(SPACE, Objective("loss"), seed=seed, others=(Objective("latency"),)), trials)
        found.append(hypervolume(np.array(list(study.loss_rows().values())), np.array([0.2, 0.2])))
    return BEST_VOLUME - median(found)


@lru_cache
def best_within_bound(name: str, trials: int) -> float:
    """The median of the least loss after so many trials within a constraint that the least of all misses."""
    found = []
    for seed in range(FEW.get(name, SEEDS)):
        study = StudyView(SPACE, Objective("loss"), seed=seed, constraints=(Constraint("latency", "<=", 0.06),))
        kept = [trial for trial in play(name, study, trials).trials if study.feasible(trial)]
        found.append(min((trial.metrics["loss"] for trial in kept), default=1.0))
    return median(found)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_strategy_that_learns_covers_more_of_a_front_than_random(name: str) -> None:
    trials = TRIALS.get(name, 50)
    assert missing_volume(name, trials) < 0.85 * missing_volume("random", trials)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_strategy_that_learns_finds_more_within_a_constraint_than_random(name: str) -> None:
    trials = TRIALS.get(name, 50)
    assert best_within_bound(name, trials) < 0.8 * best_within_bound("random", trials)
