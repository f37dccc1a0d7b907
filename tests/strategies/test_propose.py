"""What every host proposes: candidates to be tried first, then the strategy's."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from tunesmith.errors import SpaceExhausted, SpecError
from tunesmith.spaces._capabilities import Inheriting, Morphable
from tunesmith.spaces.graphs import Graphs
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import check_pair, draw_unseen, propose
from tunesmith.strategies.random import Random
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Objective, State, StudyView, Trial

SPACE = Parameters({"x": {"int": [1, 100]}})


@dataclass(frozen=True)
class Editing(Random):
    """A strategy that can do nothing where candidates cannot be edited."""

    needs: ClassVar[tuple[type, ...]] = (Morphable, Inheriting)


FIRST = ({"x": 7}, {"x": 101}, {"y": 1}, {"x": 9, "y": 1}, {"x": 8})


def view(*first: dict, space: Parameters = SPACE) -> StudyView:
    return StudyView(space, Objective("loss"), first=first)


def values(study: StudyView, count: int) -> list:
    return [proposal.candidate["x"] for proposal in propose(TPE(), study, count)]


def test_candidates_to_be_tried_first_come_first_those_that_do_not_fit_are_skipped() -> None:
    proposed = values(view(*FIRST), 4)
    assert proposed[:2] == [7, 8]
    assert len(set(proposed)) == 4


def test_several_at_once_are_those_asked_one_by_one() -> None:
    study, singles = view(*FIRST), []
    for _ in range(6):
        (proposal,) = propose(TPE(), study, 1)
        singles.append(proposal.candidate["x"])
        study = study.with_running(proposal.candidate)
    assert values(view(*FIRST), 6) == singles


def test_a_continued_study_goes_on_where_it_was_in_them() -> None:
    study = replace(view(*FIRST), trials=(Trial(0, {"x": 7}, State.FINISHED, {"loss": 1.0}),), issued=1)
    assert values(study, 1) == [8]
    assert 8 not in values(replace(study, issued=2), 3)


def test_what_was_tried_already_is_not_tried_again() -> None:
    study = replace(view({"x": 7}, {"x": 7}, {"x": 8}), trials=(Trial(5, {"x": 8}),))
    proposed = values(study, 4)
    assert proposed[0] == 7
    assert not {7, 8} & set(proposed[1:])


def test_without_any_the_strategy_answers_alone() -> None:
    study = view()
    assert propose(TPE(), study, 3) == TPE().propose(study, 3)
    assert propose(TPE(), study, 0) == []


def test_a_strategy_that_repeats_itself_gets_any_candidate_that_is_left_not_the_first() -> None:
    drawn = [
        draw_unseen(replace(view(), trials=(Trial(0, {"x": 7}),), seed=seed), lambda *_: {"x": 7})["x"] for seed in range(20)
    ]
    assert len(set(drawn)) > 10


def test_a_space_that_lacks_what_a_strategy_needs_is_refused_with_what_would_work() -> None:
    with pytest.raises(SpecError) as refused:
        check_pair(Editing(), SPACE)
    assert "needs a space that is morphable and inheriting, which 'parameters' is not" in str(refused.value)
    assert "it works with space.kind: graphs; with 'parameters' work: auto, cmaes" in str(refused.value)
    check_pair(Editing(), Graphs())


def test_they_count_towards_the_end_of_a_finite_space() -> None:
    small = view({"x": 2}, space=Parameters({"x": {"int": [1, 3]}}))
    assert sorted(proposal.candidate["x"] for proposal in propose(Random(), small, 3)) == [1, 2, 3]
    with pytest.raises(SpaceExhausted):
        propose(Random(), small, 4)
