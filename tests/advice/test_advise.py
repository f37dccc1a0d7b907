"""The advice on a whole study."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.advice.studies import NESTED, content, nested_loss, random_trials, record
from tunesmith.advice.advise import Advice, advise, advise_on
from tunesmith.aims import Aims, Objective
from tunesmith.errors import SpecError, StudyError
from tunesmith.ranking import pareto_front
from tunesmith.study import State, Trial


def test_a_recorded_study_is_advised_on_as_plain_data(tmp_path: Path) -> None:
    trials = random_trials(NESTED, nested_loss, 40)
    advice = advise(record(tmp_path / "study", content(NESTED), trials))
    told = json.loads(json.dumps(advice.to_json(), allow_nan=False))
    assert told["trials"] == told["finished"] == 40
    assert next(iter(told["importance"])) == "rate"
    assert told["moves"][0] == {
        **{"key": "rate", "action": "narrow", "before": {"loguniform": [1e-05, 1.0]}},
        **{"after": advice.moves[0].after.to_json(), "reason": advice.moves[0].reason},
    }
    assert told["more_trials"]["verdict"] in ("likely", "unclear", "unlikely")


def test_the_same_study_gets_the_same_advice() -> None:
    trials = random_trials(NESTED, nested_loss, 30)
    assert advise_on(content(NESTED), trials).to_json() == advise_on(content(NESTED), trials).to_json()


def failed(count: int) -> list[Trial]:
    return [Trial(i, {"x": i / count}, State.FAILED, reason="no") for i in range(count)]


ONE = {"x": {"uniform": [0, 1]}}


@pytest.mark.parametrize(
    ("trials", "note"),
    [
        ([], "no trial has ended yet"),
        (failed(30), "none of 30 trials finished and kept all constraints"),
        (random_trials(ONE, lambda c: c["x"], 7), "20 trials are needed, 7 have ended"),
        (random_trials(ONE, lambda c: 1.0, 30), "all 30 trials are equally good"),
    ],
)
def test_what_cannot_be_told_is_said(trials: list[Trial], note: str) -> None:
    advice = advise_on(content(ONE), trials)
    assert advice.moves == ()
    assert any(note in said for said in advice.notes)
    assert advice.payoff is None


def test_one_parameter_has_all_the_importance() -> None:
    advice = advise_on(content(ONE), random_trials(ONE, lambda c: (c["x"] - 0.3) ** 2, 40))
    assert advice.importance["x"].overall.share == pytest.approx(1)
    assert advice.moves[0].action == "narrow"


def test_a_space_without_a_choice_leaves_nothing_to_say() -> None:
    fixed = {"x": {"choice": [3]}}
    trials = [Trial(i, {"x": 3}, State.FINISHED, {"loss": float(i)}) for i in range(30)]
    assert "leaves nothing to choose" in advise_on(content(fixed), trials).notes[0]


def two_objectives() -> tuple[dict[str, Any], list[Trial]]:
    parameters = {"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}}
    goals = [{"metric": "loss", "goal": "minimize"}, {"metric": "speed", "goal": "maximize"}]
    trials = random_trials(parameters, lambda c: c["x"], 40)
    trials = [Trial(t.number, t.candidate, t.state, {**t.metrics, "speed": t.candidate["y"]}) for t in trials]
    return content(parameters, objectives=goals), trials


def most_important(advice: Advice) -> str:
    return next(iter(advice.importance))


def test_several_objectives_count_alike_or_the_one_that_is_named() -> None:
    search, trials = two_objectives()
    shares = advise_on(search, trials).importance
    assert shares["x"].overall.share == pytest.approx(shares["y"].overall.share, abs=0.2)
    assert most_important(advise_on(search, trials, "loss")) == "x"
    assert most_important(advise_on(search, trials, "speed")) == "y"
    with pytest.raises(SpecError, match=r"'sped' is none of the study's; allowed: loss, speed \(did you mean 'speed'\?\)"):
        advise_on(search, trials, "sped")


def test_whether_more_trials_pay_is_told_by_the_hypervolume_of_several_objectives_or_by_the_one_that_is_named() -> None:
    search, trials = two_objectives()
    both, one = (advise_on(search, trials, metric).to_json()["more_trials"] for metric in (None, "speed"))
    assert (both["of"], one["of"]) == ("hypervolume", "speed")
    assert 0 < both["forecasts"][0]["gain"] < both["forecasts"][-1]["gain"] < 1
    assert both["next_trial"]["chance"] > one["next_trial"]["chance"]


def test_no_advice_cuts_off_a_part_of_the_front() -> None:
    """Small is fast, large is good: all widths are on the front, whatever else a trial has."""
    parameters = {"width": {"uniform": [0, 1]}, "waste": {"uniform": [0, 1]}}
    goals = [{"metric": "loss", "goal": "minimize"}, {"metric": "seconds", "goal": "minimize"}]
    trials = [
        Trial(
            t.number, t.candidate, t.state, {"loss": 1 - t.candidate["width"] + waste, "seconds": t.candidate["width"] + waste}
        )
        for t in random_trials(parameters, lambda c: 0.0, 60)
        for waste in [t.candidate["waste"]]
    ]
    advice = advise_on(content(parameters, objectives=goals), trials)
    moves = {move.key.name: move for move in advice.moves}
    front = pareto_front(trials, Aims((Objective("loss"), Objective("seconds"))))
    assert moves["width"].action == "keep"
    assert moves["waste"].action == "narrow"
    assert all(move.after.contains(trial.candidate[name]) for name, move in moves.items() for trial in front)
    assert advice.best == front[0].number


def test_trials_that_miss_a_constraint_are_none_of_the_good_ones() -> None:
    search, trials = two_objectives()
    advice = advise_on({**search, "constraints": ["speed >= 0.5"]}, trials)
    assert advice.finished == sum(trial.metrics["speed"] >= 0.5 for trial in trials)
    narrowed = next(move for move in advice.moves if move.key.name == "y")
    assert narrowed.after.to_json()["uniform"][0] == pytest.approx(0.5, abs=0.15)


def test_a_users_function_is_advised_on_by_the_values_of_its_trials() -> None:
    trials = random_trials({"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}}, lambda c: c["x"], 40)
    search = content(ONE, space={"kind": "code", "build": "model.py:build", "sha256": "ab"})
    assert most_important(advise_on(search, trials)) == "x"


def test_a_range_is_not_widened_beyond_what_the_space_allows() -> None:
    space = {"kind": "layers", "convs": [0, 0], "dense": [1, 1], "kernel": 3, "dropout": 0.1, "optimizer": "adam"}
    space |= {"units": {"logint": [1024, 65536]}, "batch_size": 32, "activation": "relu", "batch_normalization": True}
    space |= {"learning_rate": {"loguniform": [1e-4, 0.1]}}
    drawn = {"dense1.units": {"logint": [1024, 65536]}, "learning_rate": {"loguniform": [1e-4, 0.1]}}
    advice = advise_on(content(ONE, space=space), random_trials(drawn, lambda c: -c["dense1.units"], 60))
    move = next(move for move in advice.moves if move.key.name == "units")
    assert move.action == "keep"
    assert "the space allows no more: space.units" in move.reason


def test_without_optuna_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    advice = advise_on(content(ONE), random_trials(ONE, lambda c: c["x"], 40))
    assert "pip install 'tunesmith[advice]'" in advice.notes[0]
    assert advice.payoff is not None


def test_a_folder_without_a_study_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="is no study"):
        advise(tmp_path)
