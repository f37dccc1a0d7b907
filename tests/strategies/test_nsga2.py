"""What NSGA-II does with a study; that it keeps the contract is tests/contracts' matter."""

from dataclasses import replace

import numpy as np
import pytest

from tunesmith.spaces.graphs import Graphs
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies.auto import Auto
from tunesmith.strategies.nsga2 import NSGA2
from tunesmith.strategies.random import Random
from tunesmith.study import Objective, State, StudyView, Trial

SPACE = Parameters({f"x{i}": {"uniform": [0, 1]} for i in range(5)})
GRAPHS = Graphs(start={"convs": 1, "filters": 4}, most_layers=12)


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


def study(losses: list[float], others: int = 1) -> StudyView:
    """A study of graphs of seven edits and more, far from each other, each as good by all objectives as by the first."""
    rng = np.random.default_rng(0)
    names = ["loss", *(f"loss_{n}" for n in range(others))]
    grown = [GRAPHS.choose(lambda _, graphs: graphs.quantile(1 - 0.1 * rng.random())) for _ in losses]
    ended = zip(grown, losses, strict=True)
    trials = [Trial(n, graph, State.FINISHED, dict.fromkeys(names, loss)) for n, (graph, loss) in enumerate(ended)]
    objectives = [Objective(name) for name in names]
    return StudyView(GRAPHS, objectives[0], tuple(trials), len(trials), others=tuple(objectives[1:]))


def test_on_a_space_of_edits_a_child_is_one_edit_of_a_survivor() -> None:
    view = study([0.0, 0.1, *[1.0] * 10])
    for proposal in NSGA2(population=2).propose(view, 6):
        apart = [GRAPHS.distance(trial.candidate, proposal.candidate) for trial in view.trials[:2]]
        assert 0 < min(apart) < 5
        assert proposal.parent is None


def test_with_more_objectives_than_three_it_is_what_auto_goes_by_there_too() -> None:
    view = study([n / 30 for n in range(30)], others=3)
    assert Auto().describe(view).startswith("nsga2")
    assert Auto().propose(view, 2) == NSGA2().propose(view, 2)
