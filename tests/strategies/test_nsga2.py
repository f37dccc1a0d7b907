"""What NSGA-II does with a study; that it keeps the contract is tests/contracts' matter."""

from dataclasses import replace

import pytest

from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies.nsga2 import NSGA2
from tunesmith.strategies.random import Random
from tunesmith.study import Objective, State, StudyView, Trial

SPACE = Parameters({f"x{i}": {"uniform": [0, 1]} for i in range(5)})


def after(losses: list[float], state: State = State.FINISHED) -> StudyView:
    candidates = [proposal.candidate for proposal in Random().propose(StudyView(SPACE, Objective("loss")), len(losses))]
    trials = tuple(Trial(i, candidates[i], state, {"loss": loss}) for i, loss in enumerate(losses))
    return StudyView(SPACE, Objective("loss"), trials, issued=len(trials))


@pytest.mark.parametrize("state", [State.FAILED, State.FINISHED])
def test_trials_without_a_better_and_a_worse_lead_nowhere(state: State) -> None:
    study = after([1.0] * 40, state)
    assert NSGA2().propose(study, 3) == Random().propose(study, 3)


def test_one_that_is_better_makes_parents() -> None:
    study = after([1.0] * 39 + [0.5])
    assert NSGA2().propose(study, 3) != Random().propose(study, 3)
    assert NSGA2().propose(replace(study), 3) == NSGA2().propose(study, 3)
