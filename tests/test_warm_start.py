"""What a search takes from earlier studies' folders."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.errors import SpecError
from tunesmith.record import Record
from tunesmith.sections import EarlierSpec
from tunesmith.spaces.parameters import Parameters
from tunesmith.study import State, Trial
from tunesmith.warm_start import MOST_GUESSED, MOST_OF_ONE, WarmStart, warm_start

SPACE = Parameters({"x": {"uniform": [0, 1]}, "units": {"int": [8, 64]}})
AIMS = Aims((Objective("loss"),))
CONTENT = {
    "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}, "units": {"int": [8, 64]}}},
    "strategy": {"name": "random"},
    "objectives": [{"metric": "loss", "goal": "minimize"}],
    "evaluation": {"epochs": 3},
    "budget": {"trials": 3},
}


def finished(number: int, loss: float, **candidate: float) -> Trial:
    return Trial(number, candidate, State.FINISHED, {"loss": loss})


def study(folder: Path, trials: Iterable[Trial], **content: object) -> None:
    with Record.start(folder, CONTENT | content) as record:
        for trial in trials:
            record.begin(trial.number, trial.candidate)
            if trial.done:
                record.finish(trial)


def begin(tmp_path: Path, *entries: EarlierSpec, aims: Aims = AIMS, trials: int = 40, **content: object) -> WarmStart:
    with Record.start(tmp_path / "new", CONTENT | content) as record:
        return warm_start(entries, SPACE, aims, trials, record, tmp_path)


OLD = EarlierSpec(study="old")


def test_the_best_of_the_same_problem_are_tried_first_the_best_one_first(tmp_path: Path) -> None:
    study(tmp_path / "old", [finished(n, loss=abs(n - 3), x=n / 10, units=8) for n in range(8)])
    first = begin(tmp_path, OLD, trials=12).first
    assert [candidate["x"] for candidate in first] == [0.3, 0.2, 0.4]


def test_of_another_problem_only_a_few_are_tried_and_they_are_apart(tmp_path: Path) -> None:
    study(tmp_path / "old", [finished(n, loss=n, x=n / 100, units=8) for n in range(60)], evaluation={"epochs": 9})
    first = begin(tmp_path, OLD).first
    assert [candidate["x"] for candidate in first] == [0.0, 0.06, 0.12, 0.18, 0.24, 0.3]
    assert len(first) == MOST_GUESSED


def test_all_ended_trials_are_learned_from_and_failed_ones_count_like_the_worst(tmp_path: Path) -> None:
    failed = Trial(1, {"x": 0.9, "units": 8}, State.FAILED, reason="too large")
    stopped = Trial(2, {"x": 0.8, "units": 8}, State.STOPPED, {"loss": 5.0})
    running = Trial(3, {"x": 0.7, "units": 8})
    study(tmp_path / "old", [finished(0, loss=1.0, x=0.1, units=8), failed, stopped, running])
    (earlier,) = begin(tmp_path, OLD).earlier
    assert [candidate["x"] for candidate in earlier.candidates] == [0.1, 0.9, 0.8]
    assert earlier.losses == (1.0, 5.0, 5.0)


def test_a_large_study_is_thinned_and_its_best_are_kept(tmp_path: Path) -> None:
    study(tmp_path / "old", [finished(n, loss=-n, x=n / 1000, units=8) for n in range(500)])
    (earlier,) = begin(tmp_path, OLD).earlier
    assert len(earlier.losses) == MOST_OF_ONE
    assert set(range(400, 500)) <= {round(candidate["x"] * 1000) for candidate in earlier.candidates}  # type: ignore[operator]


def test_what_maximises_is_told_as_losses(tmp_path: Path) -> None:
    trials = [Trial(0, {"x": 0.1, "units": 8}, State.FINISHED, {"accuracy": 0.9})]
    study(tmp_path / "old", trials, objectives=[{"metric": "accuracy", "goal": "maximize"}])
    (earlier,) = begin(tmp_path, OLD, aims=Aims((Objective("accuracy", "maximize"),))).earlier
    assert earlier.losses == (-0.9,)


def test_within_constraints_the_places_on_the_leaderboard_are_told(tmp_path: Path) -> None:
    slow = Trial(0, {"x": 0.1, "units": 8}, State.FINISHED, {"loss": 0.1, "latency_ms": 9.0})
    quick = Trial(1, {"x": 0.2, "units": 8}, State.FINISHED, {"loss": 0.2, "latency_ms": 1.0})
    study(tmp_path / "old", [slow, quick])
    (earlier,) = begin(tmp_path, OLD, aims=Aims(AIMS.objectives, (Constraint.parse("latency_ms <= 5"),))).earlier
    assert earlier.losses == (1.0, 0.0)


def test_a_renamed_parameter_is_found(tmp_path: Path) -> None:
    study(tmp_path / "old", [Trial(0, {"z": 0.1, "units": 8}, State.FINISHED, {"loss": 1.0})])
    warm = begin(tmp_path, EarlierSpec(study="old", rename={"z": "x"}))
    assert warm.earlier[0].candidates == ({"x": 0.1, "units": 8},)


@pytest.mark.parametrize(
    ("rename", "says"),
    [
        ({"y": "x"}, "warm_start.0.rename: 'y' is no parameter of old: units, z"),
        ({"z": "w"}, "warm_start.0.rename: 'w' is no parameter of this space: units, x"),
    ],
)
def test_a_rename_of_what_is_not_there_is_refused(tmp_path: Path, rename: dict[str, str], says: str) -> None:
    study(tmp_path / "old", [Trial(0, {"z": 0.1, "units": 8}, State.FINISHED, {"loss": 1.0})])
    with pytest.raises(SpecError) as refused:
        begin(tmp_path, EarlierSpec(study="old", rename=rename))
    assert says in str(refused.value)


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="warm_start: 'old' is no study"):
        begin(tmp_path, OLD)


@pytest.mark.parametrize(
    ("trials", "says"),
    [
        ([Trial(0, {"depth": 3}, State.FINISHED, {"loss": 1.0})], "shares no parameter with this space (its: depth;"),
        ([Trial(0, {f"p{i}": 1 for i in range(99)}, State.FINISHED, {"loss": 1.0})], " and 69 more; this one's: "),
        ([finished(0, loss=1.0, x=77.0, units=8)], "none of its 1 trials can be used; outside of this space: 1 by x; left out"),
        ([Trial(0, {"x": 0.1, "units": 8})], "has no trial that has ended; the search begins without it"),
    ],
)
def test_a_study_that_tells_nothing_is_left_out_and_said_so(tmp_path: Path, trials: list[Trial], says: str) -> None:
    study(tmp_path / "old", trials)
    warm = begin(tmp_path, OLD)
    assert (warm.first, warm.earlier) == ((), ())
    assert says in warm.notes[0]


def test_what_did_not_fit_is_noted(tmp_path: Path) -> None:
    odd = Trial(1, {"x": 0.2, "depth": 3}, State.FINISHED, {"loss": 1.0})
    study(tmp_path / "old", [finished(0, loss=1.0, x=99.0, units=8), odd])
    (note,) = begin(tmp_path, OLD).notes
    assert "1 of 2 trials are learned from; not in this space: depth" in note
    assert "outside of this space: 1 by x" in note


def test_a_study_goes_on_as_it_began_whatever_becomes_of_the_earlier_ones(tmp_path: Path) -> None:
    study(tmp_path / "old", [finished(n, loss=n, x=n / 10, units=8) for n in range(8)])
    before = begin(tmp_path, OLD)
    (tmp_path / "old").rename(tmp_path / "gone")
    after = begin(tmp_path, OLD)
    assert (after.first, after.earlier) == (before.first, before.earlier)


def test_several_studies_take_turns(tmp_path: Path) -> None:
    for place, name in enumerate(("a", "b")):
        study(tmp_path / name, [finished(n, loss=n, x=n / 10, units=8 + place) for n in range(4)])
    first = begin(tmp_path, EarlierSpec(study="a"), EarlierSpec(study="b")).first
    assert [candidate["units"] for candidate in first[:4]] == [8, 9, 8, 9]
