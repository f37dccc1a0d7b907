"""What CMA-ES does with a study; that it keeps the contract is tests/contracts' matter."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies.cmaes import CMAES
from tunesmith.study import Objective, State, StudyView, Trial

Judge = Callable[[Mapping[str, Value]], float]
SPACE = Parameters({f"x{i}": {"uniform": [-5, 5]} for i in range(5)})


def play(space: Space, judge: Judge, count: int, parallel: int = 1) -> StudyView:
    """Run trials in batches."""
    study = StudyView(space, Objective("loss"), parallel=parallel)
    while study.issued < count:
        ended = [
            Trial(study.issued + i, p.candidate, State.FINISHED, {"loss": judge(p.candidate)})
            for i, p in enumerate(CMAES().propose(study, parallel))
        ]
        study = replace(study, trials=(*study.trials, *ended), issued=study.issued + parallel)
    return study


def valley(candidate: Mapping[str, Value]) -> float:
    """A narrow, turned valley: a strategy that takes each parameter by itself gets stuck on its side."""
    values = np.array([float(candidate[f"x{i}"] or 0) for i in range(5)]) - 1.5
    return float(values.sum() ** 2 * 10 + (np.diff(values) ** 2).sum())


def best(study: StudyView) -> float:
    return min(study.losses().values())


@pytest.mark.parametrize("parallel", [1, 3, 8])
def test_the_bottom_of_a_turned_valley_is_found_whatever_the_number_of_workers(parallel: int) -> None:
    assert best(play(SPACE, valley, 400, parallel)) < 0.01


def test_whole_numbers_and_options_are_found_beside_continuous_ones() -> None:
    space = Parameters({"x": {"uniform": [0, 1]}, "n": {"int": [1, 40]}, "kind": {"choice": ["a", "b", "c", "d"]}})

    def judge(candidate: Mapping[str, Value]) -> float:
        return abs(float(candidate["x"] or 0) - 0.3) + abs(int(candidate["n"] or 0) - 31) / 40 + (candidate["kind"] != "c")

    assert best(play(space, judge, 200)) < 0.05


def test_a_candidate_from_elsewhere_is_learned_from() -> None:
    bottom = {f"x{i}": 1.5 + 0.01 * i for i in range(5)}
    given = tuple(Trial(i, {**bottom, "x0": 1.5 + 0.001 * i}, State.FINISHED, {"loss": 0.001 * i}) for i in range(40))
    study = StudyView(SPACE, Objective("loss"), given, issued=40)
    proposed = np.array([[p.candidate[f"x{i}"] for i in range(5)] for p in CMAES().propose(study, 10)], dtype=float)
    assert np.abs(np.median(proposed, axis=0) - 1.5).max() < 1


@pytest.mark.parametrize("state", [State.FAILED, State.FINISHED])
def test_generations_without_a_better_and_a_worse_move_nothing(state: State) -> None:
    fresh = StudyView(SPACE, Objective("loss"))
    asked = [CMAES().propose(replace(fresh, issued=number), 1)[0].candidate for number in range(200)]
    alike = tuple(Trial(i, candidate, state, {"loss": 1.0}) for i, candidate in enumerate(asked[:160]))
    study = replace(fresh, trials=alike, issued=160)
    assert [proposal.candidate for proposal in CMAES().propose(study, 40)] == asked[160:]


@pytest.mark.parametrize(("settings", "words"), [({"population": 3}, "population: got 3"), ({"sigma": 0}, "sigma: got 0")])
def test_impossible_settings_are_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        CMAES(**settings)  # type: ignore[arg-type]  # a whole number is one
