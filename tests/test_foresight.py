"""How well a strategy's model ranked what came next, over the course of a search."""

import numpy as np
import pytest

from tests.report.contents import image_search
from tunesmith.foresight import foresight
from tunesmith.registry import discover
from tunesmith.report._foresight import draw_foresight
from tunesmith.spec import parse_spec
from tunesmith.study import State, Trial

CONTENT = {
    "space": {"kind": "parameters", "parameters": {name: {"choice": list("abcd")} for name in "uvwxyz"}},
    "evaluation": {"kind": "function", "function": "a.py:f"},
    "budget": {"trials": 60},
}


def spec_of(strategy: str):
    return parse_spec({**CONTENT, "strategy": {"name": strategy}})


def trials(count: int, state: State = State.FINISHED) -> list[Trial]:
    """Random candidates; the loss is the number of letters that are not `a`."""
    rng, space = np.random.default_rng(0), spec_of("random").space
    drawn = [space.sample(rng) for _ in range(count)]
    return [Trial(n, each, state, {"loss": float(sum(v != "a" for v in each.values()))}) for n, each in enumerate(drawn)]


@pytest.mark.parametrize("strategy", ["gp", "pnas", "morphism", "auto"])
def test_what_can_be_learned_is_foreseen_better_with_more_trials(strategy: str) -> None:
    found = foresight(spec_of(strategy), trials(60))
    assert [told for told, _ in found] == sorted({told for told, _ in found})
    assert found[-1][0] == 54
    assert np.mean([value for _, value in found[-3:]]) > 0.6


@pytest.mark.parametrize("strategy", sorted(set(discover("tunesmith.strategies")) - {"gp", "pnas", "morphism", "auto"}))
def test_a_strategy_without_a_model_foresees_nothing(strategy: str) -> None:
    assert foresight(spec_of(strategy), trials(30)) == []


def test_too_few_finished_trials_tell_nothing() -> None:
    assert foresight(spec_of("gp"), trials(11)) == []
    assert foresight(spec_of("gp"), trials(40, State.FAILED)) == []


def test_the_plot_shows_every_place_and_nothing_shows_nothing() -> None:
    drawn = draw_foresight([(6, -0.2), (20, 0.5), (40, 0.9)])
    assert drawn.count("<circle") == 3
    assert "told of 20 trials: 0.50" in drawn
    assert draw_foresight(image_search().foresight) == ""
