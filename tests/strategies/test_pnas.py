"""Progressive search: sizes in turn, expansions of the best ranked and streamed, neighbours where there are no sizes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from tests.contracts.test_strategies import play
from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Int, Value
from tunesmith.spaces._space import Candidate, Chooser, Space, canonical
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.spaces.cells_pnas import PNASCells
from tunesmith.strategies import pnas
from tunesmith.strategies._progressive.pool import MOST_EXPANSIONS, expansions, neighbours
from tunesmith.strategies._progressive.ranking import BATCH, best_of, interleaved
from tunesmith.strategies._progressive.stages import Stage, grows, stage_of_levels, stage_of_rounds, thinned
from tunesmith.strategies.pnas import PNAS
from tunesmith.study import Objective, State, StudyView, Trial

LOSS = Objective("loss")
LETTERS = Choice(tuple("abcdef"))
LEVELS = 4


@dataclass(frozen=True)
class Words(Space):
    """Words of one to four letters, which grow letter by letter; anagrams are one."""

    def define(self, choose: Chooser) -> list[str]:
        return [choose(f"letter{i}", LETTERS) for i in range(choose("length", Int(1, LEVELS)))]

    def to_json(self) -> dict[str, Any]:
        return {"kind": "words"}

    def identity(self, candidate: Candidate) -> str:
        return "".join(sorted(self.realize(candidate)))

    def smallest(self) -> Iterator[dict[str, Value]]:
        yield from ({"length": 1, "letter0": letter} for letter in LETTERS.options)

    def expand(self, candidate: Candidate) -> Iterator[dict[str, Value]]:
        length = self.size_of(candidate)
        if length < LEVELS:
            yield from ({**candidate, "length": length + 1, f"letter{length}": letter} for letter in LETTERS.options)

    def size_of(self, candidate: Candidate) -> int:
        return int(candidate["length"])  # type: ignore[arg-type]


WORDS = Words()
BLOCK = {"left": 0, "left_operation": "identity", "right": 1, "right_operation": "max_3x3"}
GIVEN = {"blocks": 1, **{f"block1.{name}": value for name, value in BLOCK.items()}}
RNG = np.random.default_rng(0)


def cost(candidate: dict[str, Value]) -> float:
    """`f` is the best letter, and more letters are better: the best word is ffff."""
    return -sum("abcdef".index(str(value)) for name, value in candidate.items() if name != "length") - len(candidate)


def played(trials: int, budget: int | None = None, strategy: PNAS | None = None, seed: int = 0) -> StudyView:
    return play(strategy or PNAS(), StudyView(WORDS, LOSS, seed=seed, budget=budget), trials, cost)


def proposed(study: StudyView, number: int = 1, strategy: PNAS | None = None) -> list[dict[str, Value]]:
    return [dict(each.candidate) for each in (strategy or PNAS()).propose(study, number)]


def lengths(study: StudyView) -> list[int]:
    return [WORDS.size_of(trial.candidate) for trial in study.trials]


def test_with_a_budget_sizes_share_it_one_after_the_other() -> None:
    assert lengths(played(30, budget=30)) == [1] * 6 + [2] * 8 + [3] * 8 + [4] * 8


def test_without_a_budget_each_size_has_as_many_trials_as_the_beam_is_wide_and_the_last_goes_on() -> None:
    assert lengths(played(26, strategy=PNAS(beam=4))) == [1] * 6 + [2] * 4 + [3] * 4 + [4] * 12


def test_the_first_size_has_no_more_than_first_trials_and_another_seed_others() -> None:
    starts = {canonical(proposed(replace(played(0, seed=seed), budget=20), strategy=PNAS(first=4))[0]) for seed in range(9)}
    assert len(starts) > 2
    assert lengths(played(5, strategy=PNAS(first=4)))[3:] == [1, 2]


def test_a_size_that_is_used_up_gives_way_to_the_next() -> None:
    assert lengths(played(30, strategy=PNAS(beam=2)))[:6] == [1] * 6
    assert lengths(played(8, budget=100, strategy=PNAS(beam=1)))[6:] == [2, 2]
    assert set(lengths(played(13, budget=100, strategy=PNAS(beam=1)))[6:]) == {2, 3}


def test_the_best_word_of_126_is_found_within_the_budget() -> None:
    assert min(played(24, budget=24).losses().values()) == cost({"length": 4} | {f"letter{i}": "f" for i in range(4)})


def test_anagrams_are_not_tried_twice() -> None:
    study = played(60)
    assert len({WORDS.identity(trial.candidate) for trial in study.trials}) == 60


def test_while_nothing_has_ended_the_cells_of_one_block_are_tried() -> None:
    study = StudyView(WORDS, LOSS, budget=30)
    assert [WORDS.size_of(each) for each in proposed(study, 6)] == [1] * 6


def test_expansions_come_from_the_next_lower_size_where_the_one_below_has_no_trials() -> None:
    trials = [Trial(0, {"length": 1, "letter0": "a"}), Trial(1, {"length": 1, "letter0": "b"})]
    assert {WORDS.size_of(each) for each in expansions(WORDS, trials, 4, 8, RNG)} == {2}
    assert len(list(expansions(WORDS, trials, 4, 1, RNG))) == 6
    assert list(expansions(WORDS, trials, 0, 8, RNG)) == []


def test_of_very_many_expansions_a_share_of_each_parent_is_ranked() -> None:
    space = PNASCells()
    cells = [next(space.expand(next(space.expand(first)))) for _, first in zip(range(40), space.smallest(), strict=False)]
    found = list(expansions(space, [Trial(number, cell) for number, cell in enumerate(cells)], 4, 40, RNG))
    assert len(found) == MOST_EXPANSIONS


def test_a_space_whose_cells_have_one_size_is_searched_by_neighbours() -> None:
    assert grows(PNASCells(blocks=2))
    assert not grows(PNASCells(blocks=2, least_blocks=2))
    assert not grows(NASBench201())


@pytest.mark.parametrize(
    "settings", [{"blocks": 1}, {"blocks": 3, "cell": GIVEN, "learning_rate": {"loguniform": [1e-4, 1e-2]}}]
)
def test_where_cells_cannot_grow_all_that_is_proposed_fits_the_space(settings: dict[str, Any]) -> None:
    space = PNASCells(**settings)
    assert not grows(space)
    study = play(PNAS(first=4), StudyView(space, LOSS, budget=12), 12, lambda candidate: float(len(str(candidate))))
    for trial in study.trials:
        space.realize(trial.candidate)


def test_neighbours_of_a_cell_differ_in_one_edge() -> None:
    space = NASBench201()
    cell = space.sample(np.random.default_rng(0))
    found = list(neighbours(space, [Trial(0, cell)], 5, np.random.default_rng(0)))
    assert len({canonical(each) for each in found}) == 6 * 4
    assert {sum(each[name] != cell[name] for name in cell) for each in found} == {1}


def test_a_stage_follows_from_the_number() -> None:
    assert [stage_of_rounds(number, 3, 2).start for number in range(8)] == [0, 0, 0, 3, 3, 5, 5, 7]
    stages = [stage_of_levels(number, 3, 2, 3, 5) for number in range(13)]
    assert [stage.level for stage in stages] == [1] * 3 + [2] * 2 + [3] * 8
    assert [stage.start for stage in stages] == [0] * 3 + [3, 3, 5, 5, 7, 7, 7, 7, 7, 12]
    assert stages[7] == Stage(3, 7, over=True)


def test_a_stream_is_ranked_batch_by_batch_and_only_the_best_are_kept() -> None:
    sizes: list[int] = []

    def score(candidates: Any) -> np.ndarray:
        sizes.append(len(candidates))
        return np.array([-abs(int(each["x"]) - 700) for each in candidates], dtype=float)

    stream = ({"x": number} for number, _ in zip(count(), range(5 * BATCH), strict=False))
    best = best_of(stream, score, lambda each: str(int(str(each["x"])) // 2), frozenset({"350"}), 3)  # type: ignore[arg-type]
    assert [each["x"] for each in best] == [699, 702, 697]
    assert max(sizes) == BATCH


def test_every_second_place_is_left_to_chance_and_nothing_comes_twice() -> None:
    ranked: list[dict[str, Value]] = [{"x": number} for number in range(4)]
    assert [each["x"] for each in interleaved(ranked, [{"x": 9}, {"x": 0}], canonical)] == [0, 9, 1, 2, 3]


def test_thinning_keeps_each_of_a_stream_equally_often() -> None:
    rng = np.random.default_rng(0)
    kept = [each["x"] for _ in range(600) for each in thinned(({"x": x} for x in range(6)), 2, rng)]
    assert min(kept.count(x) for x in range(6)) > 150


def test_what_is_remembered_is_what_is_worked_out_anew() -> None:
    study = played(17, budget=30)
    alive = proposed(study, 3)
    for memory in (pnas._TOKENIZERS, pnas._SURROGATES, pnas._RANKINGS):
        memory.results.clear()
    assert proposed(study, 3) == alive


def test_trials_that_end_within_a_block_change_nothing_before_the_next() -> None:
    study = played(18, budget=30)
    assert stage_of_levels(18, 6, 8, LEVELS, 5).start == 14
    *others, last = study.trials
    assert proposed(replace(study, trials=(*others, replace(last, state=State.RUNNING, metrics={})))) == proposed(study)


def test_the_recurrent_surrogate_searches_as_well() -> None:
    study = played(24, budget=24, strategy=PNAS(surrogate="recurrent"))
    assert min(study.losses().values()) <= -22


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam": 0}, "beam: got 0; needs a whole number from 1"),
        ({"first": 0}, "first: got 0; needs a whole number from 1"),
        ({"block": 0}, "block: got 0; needs a whole number from 1"),
        ({"surrogate": "mpl"}, "surrogate: got 'mpl'; allowed: mlp, recurrent"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        PNAS(**settings)
