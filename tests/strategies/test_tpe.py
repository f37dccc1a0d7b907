"""What TPE does beyond the contract of all strategies."""

import pytest

from tunesmith.errors import SpecError
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Objective, State, StudyView, Trial

LINE = Parameters({"x": {"uniform": [0, 1]}})


def finished(number: int, candidate: dict, loss: float) -> Trial:
    return Trial(number, candidate, State.FINISHED, {"loss": loss})


def proposals(space: Parameters, trials: list[Trial], seeds: int = 40) -> list[dict]:
    views = (StudyView(space, Objective("loss"), tuple(trials), len(trials), seed) for seed in range(seeds))
    return [dict(TPE(gamma=0.2).propose(view, 1)[0].candidate) for view in views]


def test_values_are_drawn_where_good_trials_are_and_bad_ones_are_not() -> None:
    good = [finished(i, {"x": x}, 0.0) for i, x in enumerate([0.29, 0.3, 0.31, 0.69, 0.7, 0.71])]
    bad = [finished(6 + i, {"x": 0.6 + 0.01 * i}, 1.0) for i in range(24)]
    drawn = [candidate["x"] for candidate in proposals(LINE, good + bad)]
    assert sum(0.1 < x < 0.5 for x in drawn) > 0.8 * len(drawn)


def test_parameters_are_decided_together() -> None:
    """Good trials lie on two corners of a square: the other two corners must stay rare."""
    square = Parameters({"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}})
    corners = [(0.1, 0.1), (0.9, 0.9)] * 5
    good = [finished(i, {"x": x + 0.002 * i, "y": y - 0.002 * i}, 0.0) for i, (x, y) in enumerate(corners)]
    bad = [finished(10 + i, {"x": (i % 7) / 6, "y": (i % 6) / 5}, 1.0) for i in range(40)]
    drawn = proposals(square, good + bad)
    together = sum((candidate["x"] < 0.5) == (candidate["y"] < 0.5) for candidate in drawn)
    assert together > 0.75 * len(drawn)


def test_the_good_branch_of_a_conditional_space_is_searched() -> None:
    space = Parameters({"kind": {"choice": {"a": {"p": {"uniform": [0, 1]}}, "b": {"q": {"uniform": [0, 1]}}}}})
    good = [finished(i, {"kind": "a", "p": 0.4 + 0.01 * i}, 0.0) for i in range(6)]
    bad = [finished(6 + i, {"kind": "b", "q": i / 24}, 1.0) for i in range(24)]
    drawn = proposals(space, good + bad)
    assert sum(candidate["kind"] == "a" for candidate in drawn) > 0.8 * len(drawn)
    assert all(("p" in candidate) == (candidate["kind"] == "a") for candidate in drawn)


def test_a_failed_region_is_avoided() -> None:
    good = [finished(i, {"x": 0.3 + 0.1 * i}, 0.0) for i in range(5)]
    rest = [finished(5 + i, {"x": i / 20}, 1.0) for i in range(20)]
    failed = [Trial(25 + i, {"x": 0.55 + 0.01 * i}, State.FAILED, reason="no") for i in range(20)]
    without = sum(0.5 < candidate["x"] < 0.8 for candidate in proposals(LINE, good + rest))
    with_failures = sum(0.5 < candidate["x"] < 0.8 for candidate in proposals(LINE, good + rest + failed))
    assert with_failures < without / 2


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"gamma": 1.5}, "gamma: got 1.5"), ({"startup": 0}, "startup: got 0"), ({"draws": 0}, "draws: got 0")],
)
def test_senseless_settings_are_refused(setting: dict, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        TPE(**setting)
