"""Progressive search: sizes in turn, what is ranked, and that the surrogates learn what they are told."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.contracts.test_strategies import play
from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Value
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.spaces.cells_pnas import PNASCells
from tunesmith.strategies._progressive.told import SURROGATES, learned, told_of
from tunesmith.strategies._surrogates.tokens import Tokenizer
from tunesmith.strategies.pnas import PNAS
from tunesmith.study import Objective, State, StudyView, Trial

LOSS = Objective("loss")
GROWING, FIXED = PNASCells(blocks=3), NASBench201()
WORTH = {"separable_3x3": 3, "separable_5x5": 2, "identity": 1, "nor_conv_3x3": 3, "nor_conv_1x1": 2, "skip_connect": 1}


def loss(candidate: dict[str, Value]) -> float:
    """The less, the more useful operations there are; a block that reads the last state is worth more."""
    used = sum(WORTH.get(str(value), 0) for value in candidate.values())
    deep = sum(value == 2 for name, value in candidate.items() if name.endswith(("left", "right")))
    return -float(used + deep)


@cache
def grown(trials: int = 60) -> StudyView:
    return play(PNAS(), StudyView(GROWING, LOSS, budget=60), trials, loss)


def test_sizes_come_in_turn_each_with_its_share_of_the_budget() -> None:
    sizes = [GROWING.size_of(trial.candidate) for trial in grown().trials]
    assert sizes == sorted(sizes)
    assert {1, 2, 3} == set(sizes)


def test_a_larger_cell_is_one_of_the_best_smaller_ones_with_a_block_more() -> None:
    study = grown()
    seen: list[dict[str, Value]] = []
    for trial in study.trials:
        size = GROWING.size_of(trial.candidate)
        if size == 2:
            smaller = {name: value for name, value in trial.candidate.items() if name.startswith("block1")}
            assert smaller in seen
        if size == 1:
            seen.append({name: value for name, value in trial.candidate.items() if name.startswith("block1")})


def test_it_ends_better_than_random_search() -> None:
    from tunesmith.strategies.random import Random

    rows = [play(Random(), StudyView(GROWING, LOSS, seed=seed), 60, loss) for seed in range(3)]
    assert min(grown().losses().values()) < min(min(study.losses().values()) for study in rows)


@pytest.mark.parametrize("kind", sorted(SURROGATES))
def test_a_surrogate_ranks_cells_larger_than_those_that_it_has_learned_from(kind: str) -> None:
    rng = np.random.default_rng(0)
    small = PNASCells(blocks=2)
    cells = [small.sample(rng) for _ in range(80)]
    trials = tuple(Trial(n, cell, State.FINISHED, {"loss": loss(cell)}) for n, cell in enumerate(cells))
    study = StudyView(GROWING, LOSS, trials, len(trials))
    surrogate = learned(kind, told_of(study, len(trials), Tokenizer(GROWING)), 0)
    larger = [cell for cell in (GROWING.sample(rng) for _ in range(300)) if GROWING.size_of(cell) == 3]
    correlation = spearmanr(surrogate.scores(larger), [-loss(cell) for cell in larger])[0]
    assert correlation > 0.5  # pyright: ignore[reportOperatorIssue]


def test_an_unfinished_trial_of_an_earlier_block_changes_the_order_of_nothing_that_was_learned() -> None:
    study = play(PNAS(), StudyView(FIXED, LOSS, budget=60), 34, loss)
    ended = replace(study, issued=36)
    turned = replace(ended, trials=ended.trials[::-1])
    assert PNAS().propose(ended, 2) == PNAS().propose(turned, 2)


@pytest.mark.parametrize("surrogate", sorted(SURROGATES))
def test_where_cells_have_one_size_neighbours_of_the_best_are_ranked(surrogate: str) -> None:
    study = play(PNAS(surrogate=surrogate), StudyView(FIXED, LOSS, budget=60), 60, loss)
    losses = [trial.metrics["loss"] for trial in study.trials]
    assert min(losses) == -18
    assert np.mean(losses[30:]) < np.mean(losses[:12]) - 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam": 0}, "beam: got 0; needs a whole number from 1"),
        ({"block": 0}, "block: got 0"),
        ({"first": 0}, "first: got 0"),
        ({"surrogate": "lstm"}, "surrogate: got 'lstm'; allowed: mlp, recurrent"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        PNAS(**settings)  # type: ignore[arg-type]
