"""Strategies that are too slow, or fail, and what is proposed in their place."""

import time
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from tests.katib.experiments import carried, plain
from tunesmith.errors import SpaceExhausted
from tunesmith.katib.proposer import MOST_SECONDS, Proposer
from tunesmith.katib.study_view import read_plan
from tunesmith.strategies._strategy import Strategy
from tunesmith.strategies.random import Random
from tunesmith.study import Proposal, State, StudyView, Trial

PLAN = read_plan(carried())
COIN = read_plan(plain({"coin": {"type": "categorical", "list": ["heads", "tails"]}}))


def study_of(plan, *trials: Trial, issued: int | None = None) -> StudyView:
    return StudyView(plan.space, plan.objective, trials, len(trials) if issued is None else issued, plan.seed)


@dataclass(frozen=True)
class Stuck(Strategy):
    """Answers `good` times, then computes for ever in Python."""

    good: int = 0

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        while study.issued >= self.good:
            pass
        return Random().propose(study, count)


@dataclass(frozen=True)
class Asleep(Strategy):
    """Does not come back from a library's code for a while."""

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        time.sleep(1.5)
        return Random().propose(study, count)


@dataclass(frozen=True)
class Broken(Strategy):
    """Fails."""

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        raise ZeroDivisionError("no trials yet")


def test_a_strategy_in_time_answers_alone() -> None:
    answer = Proposer(30).answer(PLAN, study_of(PLAN), 4)
    assert answer.proposals == PLAN.strategy.propose(study_of(PLAN), 4)
    assert (answer.substitutes, answer.why) == (0, "")


def test_what_was_answered_in_time_is_kept_and_the_rest_is_random() -> None:
    answer = Proposer(0.3).answer(replace(PLAN, strategy=Stuck(2)), study_of(PLAN), 5)
    assert answer.proposals == Random().propose(study_of(PLAN), 5)
    assert answer.substitutes == 3
    assert answer.why == "the strategy took longer than 0.3 s"


def test_a_strategy_that_asks_for_more_patience_is_waited_for() -> None:
    @dataclass(frozen=True)
    class Slow(Asleep):
        patience: ClassVar[float] = 30.0

    @dataclass(frozen=True)
    class Hasty(Asleep):
        patience: ClassVar[float] = 0.1

    assert Proposer().answer(replace(PLAN, strategy=Slow()), study_of(PLAN), 1).substitutes == 0
    assert Proposer().answer(replace(PLAN, strategy=Hasty()), study_of(PLAN), 1).why == "the strategy took longer than 0.1 s"


@pytest.mark.parametrize(("count", "seconds"), [(1, 2.0), (8, 16.0), (100, MOST_SECONDS)])
def test_each_proposal_adds_to_the_patience_with_an_answer_up_to_what_a_cluster_can_wait(count: int, seconds: float) -> None:
    assert Proposer()._limit(Stuck(), count) == seconds
    assert Proposer(0.5)._limit(Stuck(), count) == 0.5


def test_as_many_proposals_as_each_take_almost_its_patience_are_all_the_strategys() -> None:
    @dataclass(frozen=True)
    class Steady(Strategy):
        patience: ClassVar[float] = 1.0

        def propose(self, study: StudyView, count: int) -> list[Proposal]:
            time.sleep(0.3)
            return Random().propose(study, count)

    assert Proposer().answer(replace(PLAN, strategy=Steady()), study_of(PLAN), 5).substitutes == 0


def test_an_abandoned_computation_ends() -> None:
    proposer = Proposer(0.05)
    for _ in range(3):
        assert proposer.answer(replace(PLAN, strategy=Stuck()), study_of(PLAN), 1).substitutes == 1
        assert proposer._abandoned is not None
        proposer._abandoned.join(30)
        assert not proposer._abandoned.is_alive()
    assert proposer.answer(PLAN, study_of(PLAN), 1).substitutes == 0


def test_while_one_computation_cannot_be_ended_no_second_one_begins() -> None:
    proposer = Proposer(0.05)
    proposer.answer(replace(PLAN, strategy=Asleep()), study_of(PLAN), 1)
    first = proposer._abandoned
    answer = proposer.answer(PLAN, study_of(PLAN), 1)
    assert answer.why == "the strategy is still busy with an earlier answer"
    assert proposer._abandoned is first
    assert first is not None
    first.join(30)
    assert proposer.answer(PLAN, study_of(PLAN), 1).substitutes == 0


def test_a_strategy_that_fails_is_replaced_and_the_reason_told(caplog: pytest.LogCaptureFixture) -> None:
    answer = Proposer(30).answer(replace(PLAN, strategy=Broken()), study_of(PLAN), 2)
    assert (len(answer.proposals), answer.substitutes) == (2, 2)
    assert answer.why == "the strategy failed: no trials yet"
    assert "ZeroDivisionError" in caplog.text


def test_an_exhausted_space_of_a_spec_is_an_error() -> None:
    with pytest.raises(SpaceExhausted):
        Proposer(30).answer(replace(COIN, repeats=False), study_of(COIN), 3)


def coin(number: int, side: str, state: State, value: float | None = None) -> Trial:
    return Trial(number, {"coin": side}, state, {} if value is None else {"val_accuracy": value})


def test_candidates_tried_least_often_are_tried_again_the_best_of_them_first() -> None:
    trials = [
        coin(0, "heads", State.FINISHED, 0.1),
        coin(1, "tails", State.FINISHED, 0.2),
        coin(2, "tails", State.FAILED),
    ]
    answer = Proposer(30).answer(COIN, study_of(COIN, *trials), 4)
    assert [proposal.candidate["coin"] for proposal in answer.proposals] == ["heads", "tails", "heads", "tails"]
    assert answer.substitutes == 4


def test_what_the_space_has_left_comes_before_repetitions() -> None:
    answer = Proposer(30).answer(COIN, study_of(COIN, coin(0, "heads", State.FINISHED, 0.5)), 2)
    assert [proposal.candidate["coin"] for proposal in answer.proposals] == ["tails", "heads"]
    assert answer.substitutes == 1
