"""The search over edits: distances, the process that knows them alone, what the annealing finds, and parents."""

from dataclasses import replace

import numpy as np
import pytest

from tests.contracts.test_strategies import play
from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Value
from tunesmith.spaces.graphs import Graphs
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._edits.neighbours import Distances
from tunesmith.strategies._edits.process import EditProcess
from tunesmith.strategies._strategy import propose
from tunesmith.strategies.morphism import Morphism
from tunesmith.study import Objective, State, StudyView, Trial

LOSS = Objective("loss")
OPTIONS = Parameters({name: {"choice": list("abcd")} for name in "uvwxyz"})
GRAPHS = Graphs(start={"convs": 2, "filters": 4}, most_layers=12, most_filters=32)
MIXED = Parameters({"x": {"uniform": [0, 1]}, "kind": {"choice": {"left": {"a": {"choice": ["p", "q"]}}, "right": {}}}})


def wrong_letters(candidate: dict[str, Value]) -> float:
    return float(sum(value != wanted for value, wanted in zip(candidate.values(), "abcdab", strict=True)))


def size(candidate: dict[str, Value]) -> float:
    """Least for a graph of about 4,000 weights."""
    weights = GRAPHS.realize(candidate).costs((8, 8, 1)).trained
    return abs(np.log(weights / 4000))


def test_a_distance_is_the_number_of_edits() -> None:
    told = [{"x": 0.5, "kind": "left", "a": "p"}, {"x": 0.5, "kind": "right"}]
    (row,) = Distances(MIXED, told).to([{"x": 0.75, "kind": "left", "a": "q"}])
    assert row.tolist() == pytest.approx([1 + 1, 1 + 1 + 1])
    (same,) = Distances(MIXED, told).to([told[1]])
    assert same[1] == 0
    assert same[0] == pytest.approx(2)


def test_distances_of_graphs_are_the_space_s_own() -> None:
    origin = GRAPHS.origin()
    edited = GRAPHS.morphs(origin, np.random.default_rng(0))
    assert edited
    assert Distances(GRAPHS, [origin]).to([edited[0]])[0, 0] == GRAPHS.distance(origin, edited[0])


def test_the_process_finds_what_it_was_told_and_is_unsure_far_away() -> None:
    points = np.arange(12.0)
    apart = np.abs(points[:, None] - points[None, :])
    values = np.sin(points / 3)
    process = EditProcess.fitted(apart, values)
    mean, deviation = process.predict(apart)
    assert np.abs(mean - values).max() < 0.1
    _, far = process.predict(apart + 100)
    assert far.min() > 3 * deviation.max()


def test_distances_of_no_true_metric_are_no_trouble() -> None:
    rng = np.random.default_rng(0)
    apart = rng.uniform(0, 5, (20, 20))
    apart = (apart + apart.T) * (1 - np.eye(20))
    mean, deviation = EditProcess.fitted(apart, rng.normal(size=20)).predict(apart)
    assert np.isfinite(mean).all()
    assert (deviation > 0).all()


def test_it_finds_the_best_of_four_thousand_in_sixty_trials() -> None:
    found = [
        min(play(Morphism(), StudyView(OPTIONS, LOSS, seed=seed), 60, wrong_letters).losses().values()) for seed in range(5)
    ]
    assert sorted(found)[2] == 0


def test_on_a_space_of_edits_it_begins_with_the_first_candidate_and_names_parents() -> None:
    study = StudyView(GRAPHS, LOSS)
    parents = []
    for _ in range(20):
        (proposal,) = propose(Morphism(), study, 1)
        trial = Trial(study.issued, proposal.candidate, State.FINISHED, {"loss": size(dict(proposal.candidate))})
        study = replace(study, trials=(*study.trials, trial), issued=study.issued + 1)
        parents.append(proposal.parent)
    assert study.trials[0].candidate == GRAPHS.origin()
    assert parents[0] is None
    assert all(parent is not None and parent < number for number, parent in enumerate(parents) if number)
    losses = [trial.metrics["loss"] for trial in study.trials]
    assert min(losses) < 0.1 < losses[0]


def test_later_parents_are_among_the_best_trials() -> None:
    study = StudyView(GRAPHS, LOSS)
    for _ in range(16):
        (proposal,) = propose(Morphism(parents=3), study, 1)
        if study.issued >= 8:
            ranked = sorted(study.losses(), key=study.losses().__getitem__)
            assert proposal.parent in ranked[:3]
        trial = Trial(study.issued, proposal.candidate, State.FINISHED, {"loss": size(dict(proposal.candidate))})
        study = replace(study, trials=(*study.trials, trial), issued=study.issued + 1)


@pytest.mark.parametrize("name", ["startup", "parents"])
def test_settings_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match=f"{name}: got 0; needs a whole number from 1"):
        Morphism(**{name: 0})
