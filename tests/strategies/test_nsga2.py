"""Children of the front: on a space of edits each is an edit of one of the survivors."""

import numpy as np

from tunesmith.spaces.graphs import Graphs
from tunesmith.strategies.auto import Auto
from tunesmith.strategies.nsga2 import NSGA2
from tunesmith.study import Objective, State, StudyView, Trial

GRAPHS = Graphs(start={"convs": 1, "filters": 4}, most_layers=12)


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
