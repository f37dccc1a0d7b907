"""How well a strategy's model ranked what came next, over the course of a search, and proxies what was trained."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.report.contents import image_search
from tunesmith.foresight import MOST_TOLD, Foresight, foresight, foretold
from tunesmith.record import Record
from tunesmith.registry import discover
from tunesmith.report._foresight import describe_foresight
from tunesmith.report.collect import collect
from tunesmith.report.html import render_html
from tunesmith.report.markdown import render_markdown
from tunesmith.spaces._space import Candidate
from tunesmith.spaces.cells_nasbench201 import NASBench201
from tunesmith.spec import Spec, parse_spec
from tunesmith.strategies.gp import GP
from tunesmith.study import State, StudyView, Trial

CONTENT = {
    "space": {"kind": "parameters", "parameters": {name: {"choice": list("abcd")} for name in "uvwxyz"}},
    "evaluation": {"kind": "function", "function": "a.py:f"},
    "budget": {"trials": 60},
}
LOSS = [{"metric": "loss", "goal": "minimize"}]


def spec_of(strategy: str, objectives: list[dict[str, str]] | None = None, **settings: object) -> Spec:
    return parse_spec({**CONTENT, "objectives": objectives or LOSS, "strategy": {"name": strategy, **settings}})


def trials(count: int, state: State = State.FINISHED) -> list[Trial]:
    """Random candidates; the loss is the number of letters that are not `a`."""
    rng, space = np.random.default_rng(0), spec_of("random").space
    drawn = [space.sample(rng) for _ in range(count)]
    return [Trial(n, each, state, {"loss": float(sum(v != "a" for v in each.values()))}) for n, each in enumerate(drawn)]


@pytest.mark.parametrize("strategy", ["gp", "pnas", "morphism", "auto"])
def test_what_can_be_learned_is_foreseen_better_with_more_trials(strategy: str) -> None:
    found = foresight(spec_of(strategy), trials(60)).points
    assert [told for told, _ in found] == sorted({told for told, _ in found})
    assert found[-1][0] == 54
    assert np.mean([value for _, value in found[-3:]]) > 0.6


@pytest.mark.parametrize("strategy", sorted(set(discover("tunesmith.strategies")) - {"gp", "pnas", "morphism", "auto"}))
def test_a_strategy_without_a_model_foresees_nothing(strategy: str) -> None:
    assert foresight(spec_of(strategy), trials(30)) == Foresight()
    assert foresight(spec_of(strategy), trials(4)) == Foresight()


def test_too_few_trials_tell_how_many_are_needed() -> None:
    assert foresight(spec_of("gp"), trials(11)) == Foresight(note="11 trials have ended with a loss; 12 are needed")
    ended = [*trials(1), *(replace(each, number=1 + each.number) for each in trials(40, State.FAILED))]
    assert foresight(spec_of("auto"), ended).note == "1 trial has ended with a loss; 12 are needed"


def test_a_model_that_wants_more_trials_than_it_could_be_told_of_says_so() -> None:
    told = "told of the first 9, the model expects nothing yet of the 6 that came next"
    assert foresight(spec_of("gp", startup=20), trials(15)).note == f"15 trials have ended with a loss; {told}"


@pytest.mark.parametrize("strategy", ["gp", "pnas", "morphism"])
def test_stopped_trials_count_with_what_they_had_come_to(strategy: str) -> None:
    ended = [replace(each, state=State.STOPPED) if each.number % 3 else each for each in trials(60)]
    found = foresight(spec_of(strategy), ended).points
    assert found[-1][0] == 54
    assert np.mean([value for _, value in found[-3:]]) > 0.6


def test_where_auto_goes_on_without_a_model_nothing_is_missing() -> None:
    stopped = [replace(each, state=State.STOPPED) for each in trials(30)]
    assert foresight(spec_of("auto"), stopped) == Foresight()
    objectives = [{"metric": name, "goal": "minimize"} for name in ("loss", "a", "b", "c")]
    assert foresight(spec_of("auto", objectives), trials(30)) == Foresight()


def test_of_a_long_search_a_model_is_told_of_some_trials_at_a_few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    def expect(_: object, study: StudyView, candidates: Sequence[Candidate]) -> np.ndarray:
        told.append(len(study.trials))
        return np.array([float(sum(value != "a" for value in each.values())) for each in candidates])

    monkeypatch.setattr(GP, "expect", expect)
    found = foresight(spec_of("gp"), trials(1000))
    assert [count for count, _ in found.points] == [6, 335, 664, 994]
    assert told == [6, 335, MOST_TOLD, MOST_TOLD]
    assert {value for _, value in found.points} == {1.0}
    assert found.note.startswith("of more than 400 trials the model was told of 400")
    assert "Of more than 400 trials the model was told of 400: the best, " in render_html(
        replace(image_search(), foresight=found)
    )
    assert foresight(spec_of("gp"), trials(300)).note == ""


def test_the_plot_shows_every_place_and_nothing_shows_nothing() -> None:
    drawn = describe_foresight(Foresight(((6, -0.2), (20, 0.5), (40, 0.9))))
    assert drawn is not None
    assert drawn["plot"].count("<circle") == 3
    assert "told of 20 trials: 0.50" in drawn["plot"]
    assert describe_foresight(image_search().foresight) is None


def test_reports_say_why_there_is_nothing_to_show() -> None:
    content = replace(image_search(), foresight=foresight(spec_of("gp"), trials(4)))
    assert "Not measured: 4 trials have ended with a loss; 12 are needed." in render_html(content)
    assert "foresaw was not measured: 4 trials have ended with a loss; 12 are needed." in render_markdown(content)
    assert "foresaw" not in render_html(image_search()) + render_markdown(image_search())


def test_markdown_tells_the_last_place() -> None:
    told = render_markdown(replace(image_search(), foresight=Foresight(((6, -0.2), (40, 0.9)))))
    assert "model, told of 40 trials, ranked those that came next with a rank correlation of 0.90." in told


@pytest.mark.parametrize(("strategy", "missing"), [("gp", True), ("tpe", False), ("auto", False)])
def test_code_of_the_users_is_not_run_for_a_report(strategy: str, missing: bool, tmp_path: Path) -> None:
    script = tmp_path / "model.py"
    script.write_text("def build(choose):\n    return None\n")
    space, data = {"kind": "code", "build": f"{script}:build"}, {"uri": "digits"}
    objectives = [{"metric": "val_loss", "goal": "minimize"}]
    spec = parse_spec({"data": data, "space": space, "strategy": {"name": strategy}, "objectives": objectives})
    Record.start(tmp_path / "study", spec.to_json()).close()
    script.unlink()
    found = collect(tmp_path / "study").foresight
    assert found == Foresight(note="the space is your own code, which a report does not run" if missing else "")


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
