"""What earlier studies' processes lead to expect."""

import numpy as np

from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.cube import cube_of
from tunesmith.strategies._gp.earlier import FIRST_TRUST, processes, trust
from tunesmith.strategies._gp.kernel import Features, features
from tunesmith.study import EarlierStudy, Objective, StudyView

SPACE = Parameters({"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}, "cell": {"choice": ["gru", "lstm", "none"]}})
CUBE = cube_of(SPACE, 0)


def bowl(candidate: dict) -> float:
    return (candidate["x"] - 0.2) ** 2 + (candidate["y"] - 0.7) ** 2 + 0.1 * (candidate["cell"] == "gru")


def drawn(count: int, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [dict(SPACE.sample(rng)) for _ in range(count)]


def view(*studies: EarlierStudy) -> StudyView:
    return StudyView(SPACE, Objective("loss"), earlier=studies)


def earlier(candidates: list[dict], losses: list[float]) -> EarlierStudy:
    return EarlierStudy("old", tuple(candidates), tuple(losses))


BOWL = earlier(drawn(60), [bowl(candidate) for candidate in drawn(60)])
UPSIDE_DOWN = earlier(drawn(60), [-bowl(candidate) for candidate in drawn(60)])


def seen(count: int) -> tuple[Features, np.ndarray]:
    candidates = drawn(count, seed=1)
    return features(CUBE.encode(candidates), CUBE.columns), np.array([bowl(candidate) for candidate in candidates])


def test_a_related_study_is_trusted_an_opposite_one_is_not() -> None:
    ((_, alike),) = processes(view(BOWL), CUBE)
    ((_, opposite),) = processes(view(UPSIDE_DOWN), CUBE)
    assert trust(alike, *seen(20)) > 0.8
    assert trust(opposite, *seen(20)) == 0.0


def test_before_a_trial_has_ended_a_study_is_trusted_somewhat() -> None:
    ((_, alike),) = processes(view(BOWL), CUBE)
    assert trust(alike, *seen(0)) == FIRST_TRUST


def test_a_study_whose_losses_are_all_alike_has_nothing_to_tell() -> None:
    assert processes(view(earlier(drawn(9), [1.0] * 9)), CUBE) == []


def test_a_study_without_a_shared_parameter_has_nothing_to_tell() -> None:
    assert processes(view(earlier([{"depth": n} for n in range(9)], list(range(9)))), CUBE) == []


def test_a_parameter_that_the_study_did_not_know_makes_no_difference_to_it() -> None:
    known = [{"x": candidate["x"]} for candidate in drawn(60)]
    ((_, process),) = processes(view(earlier(known, [candidate["x"] for candidate in known])), CUBE)
    asked = [{"x": 0.4, "y": y, "cell": cell} for y, cell in ((0.1, "gru"), (0.9, "none"))]
    one, other = process.of(features(CUBE.encode(asked), CUBE.columns))
    assert one == other
