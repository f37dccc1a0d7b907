"""How well a strategy's model ranked what came next, over the course of a search, and proxies what was trained."""

from dataclasses import replace

import numpy as np
import pytest

from tests.report.contents import image_search
from tunesmith.foresight import foresight, foretold
from tunesmith.registry import discover
from tunesmith.report._foresight import draw_foresight
from tunesmith.report.html import render_html
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.spec import Spec, parse_spec
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


def cells(count: int, worth: str) -> tuple[Spec, list[Trial]]:
    """Random cells, the better the more of a proxy they have, and two trials that have not finished."""
    objectives = [{"metric": "val_accuracy", "goal": "maximize"}]
    spec = parse_spec({"data": {"uri": "digits"}, "space": {"kind": "cells_nasbench201"}, "objectives": objectives})
    assert isinstance(spec.space, NASBench201)
    rng = np.random.default_rng(0)
    drawn = [spec.space.sample(rng) for _ in range(count)]
    values = spec.space.proxies(drawn)[worth]
    made = [Trial(n, one, State.FINISHED, {"val_accuracy": v}) for n, (one, v) in enumerate(zip(drawn, values, strict=True))]
    return spec, [*made, Trial(count, drawn[0], State.FAILED), Trial(count + 1, drawn[1])]


@pytest.mark.parametrize("worth", ["parameters", "synflow"])
def test_a_proxy_that_ranks_right_has_a_correlation_of_one(worth: str) -> None:
    found = foretold(*cells(20, worth))
    assert found[worth] == 1.0
    assert set(found) == {"parameters", "synflow"}


def test_few_trials_and_spaces_without_proxies_foretell_nothing() -> None:
    assert foretold(*cells(5, "synflow")) == {}
    assert foretold(spec_of("random"), trials(30)) == {}


def test_the_report_says_what_proxies_told() -> None:
    shown = render_html(replace(image_search(), foretold={"synflow": 0.614, "parameters": -0.2}))
    assert "synflow 0.61, parameters -0.20." in shown
    assert "before training" not in render_html(image_search())
