"""Surrogates: tokens hold for blocks never seen, gradients are right, both kinds learn an order and foretell larger cells."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.contracts.test_strategies import history
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.spaces.cells_pnas import PNASCells
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._progressive.told import SURROGATES, learned, told_of
from tunesmith.strategies._surrogates.ensemble import MEMBERS, Network
from tunesmith.strategies._surrogates.tokens import Tokenizer
from tunesmith.study import Objective, State, StudyView, Trial

CELLS = PNASCells(blocks=4)
WORTH = {operation: place for place, operation in enumerate(CELLS.operations)}


def worth(candidate: dict[str, Value]) -> float:
    """What a cell's operations are worth on average, from 0 to 7."""
    return float(np.mean([WORTH[str(value)] for name, value in candidate.items() if name.endswith("operation")]))


def sampled(space: Space, count: int, seed: int = 0) -> list[dict[str, Value]]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def study_of(space: Space, candidates: list[dict[str, Value]], losses: list[float]) -> StudyView:
    ended = zip(candidates, losses, strict=True)
    trials = tuple(Trial(number, each, State.FINISHED, {"loss": loss}) for number, (each, loss) in enumerate(ended))
    return StudyView(space, Objective("loss"), trials, issued=len(trials))


def expected(kind: str, study: StudyView, others: list[dict[str, Value]]) -> np.ndarray:
    return learned(kind, told_of(study, study.issued, Tokenizer(study.space)), 0).scores(others)


def test_tokens_of_one_kind_are_told_by_names_without_numbers() -> None:
    space = Parameters({"block1.op": {"choice": ["a", "b"]}, "block2.op": {"choice": ["a", "b"]}, "rate": {"uniform": [0, 4]}})
    first, second, rate = Tokenizer(space).read({"block1.op": "a", "block2.op": "a", "rate": 3.0})
    assert first.word == second.word
    assert first.name != second.name
    assert rate.number == pytest.approx(0.5)


def test_what_does_not_fit_the_space_has_no_tokens() -> None:
    assert Tokenizer(NASBench201()).read({"q": 1}) == ()


@pytest.mark.parametrize("kind", SURROGATES)
def test_the_gradient_is_that_of_finite_differences(kind: str) -> None:
    candidates = sampled(PNASCells(blocks=2, learning_rate={"loguniform": [1e-4, 1e-2]}), 6)
    encoder = SURROGATES[kind](Tokenizer(PNASCells(blocks=2, learning_rate={"loguniform": [1e-4, 1e-2]})), candidates)
    network: Network = encoder.network(np.random.default_rng(0))
    inputs = np.broadcast_to(rows := encoder.encode(candidates), (MEMBERS, *rows.shape))
    slopes = np.random.default_rng(1).normal(size=(MEMBERS, len(candidates)))
    gradient = network.backward(network.forward(inputs)[1], slopes)
    for name, weights in network.weights.items():
        # Where it is greatest: most of a gradient by embeddings is 0.
        place = np.unravel_index(np.abs(gradient[name]).argmax(), weights.shape)
        sums = []
        for change in (1e-6, -2e-6):
            weights[place] += change
            sums.append(float((network.forward(inputs)[0] * slopes).sum()))
        weights[place] += 1e-6
        assert (sums[0] - sums[1]) / 2e-6 == pytest.approx(gradient[name][place], rel=1e-3), name


@pytest.mark.parametrize("kind", SURROGATES)
def test_cells_larger_than_all_it_was_told_of_are_foretold(kind: str) -> None:
    cells = sampled(CELLS, 600)
    small = [cell for cell in cells if CELLS.size_of(cell) <= 3][:150]
    large = [cell for cell in cells if CELLS.size_of(cell) == 4][:100]
    scores = expected(kind, study_of(CELLS, small, [-worth(cell) for cell in small]), large)
    assert spearmanr(scores, [worth(cell) for cell in large])[0] > 0.6


@pytest.mark.parametrize("kind", SURROGATES)
def test_a_number_is_learned_too(kind: str) -> None:
    space = Parameters({"x": {"uniform": [0, 1]}, "kind": {"choice": ["a", "b"]}})
    told, others = sampled(space, 60), sampled(space, 60, seed=1)
    scores = expected(kind, study_of(space, told, [float(each["x"] or 0) for each in told]), others)
    assert spearmanr(scores, [-float(each["x"] or 0) for each in others])[0] > 0.8


@pytest.mark.parametrize("kind", SURROGATES)
def test_the_scale_of_losses_does_not_matter_but_their_order(kind: str) -> None:
    study = history(NASBench201(), 24)
    scaled = tuple(replace(trial, metrics={n: v * 1e-3 for n, v in trial.metrics.items()}) for trial in study.trials)
    others = sampled(NASBench201(), 5, seed=3)
    assert expected(kind, study, others).tolist() == expected(kind, replace(study, trials=scaled), others).tolist()


def test_failed_trials_come_last_and_only_what_ended_before_the_end_is_told() -> None:
    candidates = sampled(NASBench201(), 5)
    study = study_of(NASBench201(), candidates, [3.0, 1.0, 2.0, 0.0, 5.0])
    failed = replace(study.trials[1], state=State.FAILED, metrics={})
    told = told_of(replace(study, trials=(study.trials[0], failed, *study.trials[2:])), 4, Tokenizer(study.space))
    assert told.places.tolist() == [2, 4, 1, 0]
    assert [trial.number for trial in told.best] == [3, 2, 0]
