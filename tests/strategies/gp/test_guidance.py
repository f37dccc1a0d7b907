"""In which trials earlier studies have a say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.strategies.gp.test_earlier import BOWL, CUBE, SPACE, UPSIDE_DOWN, bowl, drawn, earlier
from tests.strategies.gp.test_joint import SHUFFLED, told
from tunesmith.strategies._gp.guidance import FEW, LEAST, LEAST_GAIN, MOST, MOST_RARELY, gain, guides
from tunesmith.strategies._gp.observations import Observations, observe
from tunesmith.strategies.gp import GP
from tunesmith.study import EarlierStudy, Objective, State, StudyView, Trial

Judge = Callable[[dict[str, Any]], float]


def off_the_best(candidate: dict[str, Any]) -> float:
    """What agrees with the bowl far from its bottom, and has another bottom."""
    return max(bowl(candidate), 0.1) + 0.3 * (candidate["x"] - 0.45) ** 2


MISLEADING = earlier(drawn(60), [off_the_best(candidate) for candidate in drawn(60)])


def study(candidates: list[dict[str, Any]], judge: Judge = bowl) -> StudyView:
    trials = [Trial(n, each, State.FINISHED, {"loss": judge(each)}) for n, each in enumerate(candidates)]
    return StudyView(SPACE, Objective("loss"), trials=tuple(trials), issued=len(trials))


def seen(count: int) -> Observations:
    return observe(study(drawn(count, seed=1)), CUBE)


def heard(count: int, other: EarlierStudy, numbers: range = range(8)) -> list[bool]:
    past = study(drawn(count, seed=1))
    return [bool(guides(replace(past, earlier=(other,), issued=number), CUBE, seen(count))) for number in numbers]


def test_trials_are_more_probable_beside_a_related_study_and_no_more_so_beside_others() -> None:
    assert gain(CUBE, seen(12), told(BOWL), 0) > 2 * LEAST_GAIN
    for other in (SHUFFLED, UPSIDE_DOWN):
        assert gain(CUBE, seen(12), told(other), 0) < LEAST_GAIN


def test_as_long_as_a_study_foretells_the_trials_it_has_a_say_in_every_one() -> None:
    assert all(heard(12, BOWL))


def test_one_that_foretells_the_opposite_is_asked_rarely_and_later_never() -> None:
    assert heard(12, UPSIDE_DOWN).count(True) <= 2
    assert not any(heard(MOST_RARELY + 1, UPSIDE_DOWN))


@pytest.mark.parametrize("other", [BOWL, UPSIDE_DOWN])
def test_a_few_trials_are_guided_in_turns_and_the_first_not_at_all(other: EarlierStudy) -> None:
    assert heard(FEW - 1, other, range(4)) == [True, False, True, False]
    assert not any(heard(LEAST - 1, other))


def test_with_many_trials_of_its_own_a_study_needs_no_other() -> None:
    assert not any(heard(MOST + 1, BOWL))


def test_one_that_agrees_on_what_is_bad_and_not_on_the_best_is_found_out_by_the_latest_trials() -> None:
    far, rng = drawn(10, seed=1), np.random.default_rng(2)
    near = [{"x": 0.2 + 0.1 * rng.normal(), "y": 0.7 + 0.1 * rng.normal(), "cell": "lstm"} for _ in range(12)]
    at_first, later = (observe(study(candidates), CUBE) for candidates in (far, far + near))
    assert gain(CUBE, at_first, told(MISLEADING), 0) > max(gain(CUBE, later, told(MISLEADING), 0), 0)


def test_where_it_has_no_say_proposals_are_those_without_it() -> None:
    cold = study(drawn(MOST_RARELY + 5, seed=1))
    assert GP().propose(replace(cold, earlier=(UPSIDE_DOWN,)), 1) == GP().propose(cold, 1)
    assert GP().propose(replace(cold, earlier=(BOWL,)), 1) != GP().propose(cold, 1)
