"""Aging evolution: who lives, who becomes a parent, what a child has of it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.errors import SpecError
from tunesmith.spaces._space import canonical
from tunesmith.spaces.cells_nasbench201 import EDGES, NASBench201
from tunesmith.spaces.graphs import Graphs
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._edits.mutation import another, crossed, mutated
from tunesmith.strategies.evolution import Evolution
from tunesmith.study import Objective, State, StudyView, Trial

CELLS = NASBench201()
BRANCHES = {"a": {"x": {"uniform": [0, 1]}}, "b": {"y": {"int": [1, 9]}}}
CONDITIONAL = Parameters({"kind": {"choice": BRANCHES}, "z": {"choice": [1]}})


def study(losses: list[float]) -> StudyView:
    """A study of cells with these losses; trial n's cell is drawn with seed n."""
    cells = [CELLS.sample(np.random.default_rng(n)) for n in range(len(losses))]
    trials = [Trial(n, cell, State.FINISHED, {"loss": loss}) for n, (cell, loss) in enumerate(zip(cells, losses, strict=True))]
    return StudyView(CELLS, Objective("loss"), tuple(trials), issued=len(trials))


def differing(one: dict, other: dict) -> int:
    return sum(one[edge] != other[edge] for edge in EDGES)


def test_a_mutation_changes_one_parameter_and_no_other() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        parent = CELLS.sample(rng)
        assert differing(parent, mutated(CELLS, parent, rng)) == 1


def test_a_mutated_branch_drops_what_no_longer_applies_and_draws_what_does() -> None:
    rng = np.random.default_rng(0)
    children = [mutated(CONDITIONAL, {"kind": "a", "x": 0.25, "z": 1}, rng) for _ in range(40)]
    assert {child["kind"] for child in children} == {"a", "b"}
    for child in children:
        CONDITIONAL.realize(child)
        assert child["kind"] == "b" or child["x"] != 0.25


def test_every_parameter_of_a_crossed_child_is_one_of_its_parents() -> None:
    rng = np.random.default_rng(0)
    mother, father = CELLS.sample(rng), CELLS.sample(rng)
    children = [crossed(CELLS, mother, father, rng) for _ in range(20)]
    assert all(child[edge] in (mother[edge], father[edge]) for child in children for edge in EDGES)
    assert len({canonical(child) for child in children}) > 5


def test_another_number_is_another_one_and_near() -> None:
    rng = np.random.default_rng(0)
    numbers = Parameters({"n": {"int": [1, 100]}}).parameters["n"]
    moved = [another(50, numbers, rng) for _ in range(200)]
    assert 50 not in moved
    assert np.median(np.abs(np.array(moved) - 50)) < 15


def test_a_child_comes_from_the_best_of_the_living() -> None:
    losses = [1.0] * 10
    losses[4] = 0.0
    view = study(losses)
    children = [
        Evolution(population=10, sample=10, crossover=0).propose(replace(view, seed=seed), 1)[0].candidate for seed in range(20)
    ]
    assert all(differing(child, view.trials[4].candidate) == 1 for child in children)


def test_the_best_of_all_dies_of_age() -> None:
    view = study([0.0, *[1.0] * 10])
    children = [
        Evolution(population=10, sample=10, crossover=0).propose(replace(view, seed=seed), 1)[0].candidate for seed in range(20)
    ]
    assert any(differing(child, view.trials[0].candidate) > 1 for child in children)


def test_the_first_population_is_random_and_a_budget_bounds_it() -> None:
    short = replace(study([0.0, *[1.0] * 7]), budget=40)
    assert (
        differing(Evolution(sample=8, population=8, crossover=0).propose(short, 1)[0].candidate, short.trials[0].candidate) == 1
    )
    fresh = replace(short, budget=400)
    drawn = [Evolution().propose(replace(fresh, seed=seed), 1)[0].candidate for seed in range(10)]
    assert any(differing(candidate, fresh.trials[0].candidate) > 2 for candidate in drawn)


def test_an_isomorphic_cell_is_not_proposed_again() -> None:
    view = study([0.0, *[1.0] * 9])
    for _ in range(60):
        (proposal,) = Evolution(population=10, sample=5).propose(view, 1)
        assert CELLS.identity(proposal.candidate) not in view.tried
        view = view.with_running(proposal.candidate)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"population": 1}, "population: got 1; needs a whole number from 2"),
        ({"population": 5, "sample": 6}, "sample: got 6; needs a whole number from 1 to the population of 5"),
        ({"sample": 0}, "sample: got 0"),
        ({"crossover": 1.5}, "crossover: got 1.5; needs a number from 0 to 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, says: str) -> None:
    with pytest.raises(SpecError, match=says.replace(".", r"\.")):
        Evolution(**settings)


def test_a_child_names_its_parent_and_on_a_space_of_edits_is_one_edit_away() -> None:
    space = Graphs(start={"convs": 1, "filters": 4}, most_layers=8)
    rng = np.random.default_rng(0)
    trials = tuple(Trial(n, space.sample(rng), State.FINISHED, {"loss": float(rng.random())}) for n in range(8))
    study = StudyView(space, Objective("loss"), trials, 8)
    (proposal,) = Evolution(population=8, sample=4).propose(study, 1)
    assert proposal.parent is not None
    parent = trials[proposal.parent].candidate
    assert 0 < space.distance(parent, proposal.candidate) <= 3
    info = images(8)
    old, new = (space.network(candidate, info).model for candidate in (parent, proposal.candidate))
    space.inherit(proposal.candidate, parent, old, new)


def test_on_a_space_of_edits_weights_may_be_left_behind() -> None:
    space, rng = Graphs(start={"convs": 1, "filters": 4}, most_layers=8), np.random.default_rng(0)
    trials = tuple(Trial(n, space.sample(rng), State.FINISHED, {"loss": float(rng.random())}) for n in range(8))
    study = StudyView(space, Objective("loss"), trials, 8)
    heir, anew = (Evolution(population=8, inherit=inherit).propose(study, 1)[0] for inherit in (True, False))
    assert heir.candidate == anew.candidate
    assert heir.parent is not None
    assert anew.parent is None
