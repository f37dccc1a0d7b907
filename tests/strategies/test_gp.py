"""What the Gaussian-process strategy does with a study; that it keeps the contract is tests/contracts' matter."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Space
from tunesmith.spaces.code import Code
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._gp.cube import cube_of
from tunesmith.strategies._gp.observations import MOST_SEEN, Observations, observe, thinned
from tunesmith.strategies.gp import GP
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Constraint, Objective, State, StudyView, Trial

Judge = Callable[[Mapping[str, Value]], float | None]
PLANE = Parameters({"x": {"uniform": [0, 1]}, "y": {"uniform": [0, 1]}})


def play(space: Space, judge: Judge, count: int, seed: int = 0) -> StudyView:
    """Run trials one after the other; a judge's None is a failure."""
    study = StudyView(space, Objective("loss"), seed=seed)
    for number in range(count):
        (proposal,) = GP().propose(study, 1)
        loss = judge(proposal.candidate)
        state, metrics = (State.FAILED, {}) if loss is None else (State.FINISHED, {"loss": loss})
        trial = Trial(number, proposal.candidate, state, metrics)
        study = replace(study, trials=(*study.trials, trial), issued=number + 1)
    return study


def bowl(candidate: Mapping[str, Value]) -> float:
    return float((candidate["x"] - 0.31) ** 2 + (candidate["y"] - 0.77) ** 2)  # type: ignore[operator]


def best(study: StudyView) -> float:
    return min(study.losses().values())


def test_a_bowls_bottom_is_found_in_twenty_trials() -> None:
    assert best(play(PLANE, bowl, 20)) < 1e-4


def test_a_best_at_the_corner_of_the_cube_is_found_too() -> None:
    assert best(play(PLANE, lambda c: float(c["x"] - 2 * c["y"]), 25)) < -1.99  # type: ignore[operator]


def test_of_many_numbers_the_ends_are_hardly_tried_where_the_best_is_inside() -> None:
    space = Parameters({name: {"uniform": [0, 1]} for name in "abcdefgh"})

    def wavy(candidate: Mapping[str, Value]) -> float:
        numbers = np.array(list(candidate.values()), dtype=float)
        return float(((numbers - 0.4) ** 2 + 0.1 * np.sin(15 * numbers)).sum())

    numbers = np.array([list(trial.candidate.values()) for trial in play(space, wavy, 40, seed=1).trials[12:]], dtype=float)
    assert ((numbers < 0.01) | (numbers > 0.99)).sum(axis=1).mean() < 0.3


def test_a_region_that_fails_is_left_alone() -> None:
    def judge(candidate: Mapping[str, Value]) -> float | None:
        return None if float(candidate["x"]) < 0.5 else bowl(candidate)  # type: ignore[arg-type]

    study = play(PLANE, judge, 30)
    late = [trial for trial in study.trials if trial.number >= 15]
    assert sum(trial.state is State.FAILED for trial in late) < len(late) / 2
    assert best(study) < 0.05


def test_two_of_three_trials_are_drawn_by_densities_while_most_are_stopped() -> None:
    study = play(PLANE, bowl, 12)
    few, most = (with_stopped(study, count) for count in (3, 9))

    def broad(known: StudyView) -> list[int]:
        """The numbers of the next trials that are TPE's."""
        views = [replace(known, issued=issued) for issued in range(12, 20)]
        return [view.issued for view in views if GP().propose(view, 1) == TPE().propose(view, 1)]

    assert broad(most) == [13, 14, 16, 17, 19]
    assert broad(few) == []


def with_stopped(study: StudyView, count: int) -> StudyView:
    """The study with its first trials stopped."""
    trials = [replace(trial, state=State.STOPPED) if trial.number < count else trial for trial in study.trials]
    return replace(study, trials=tuple(trials))


def test_a_constraint_is_kept_and_the_best_within_it_found() -> None:
    """The bowl's bottom is beyond the bound: the best that keeps it lies on the line x = 0.6."""
    bound = Constraint("cost", "<=", 0.4)
    study = StudyView(PLANE, Objective("loss"), constraints=(bound,))
    for number in range(30):
        (proposal,) = GP().propose(study, 1)
        metrics = {"loss": bowl(proposal.candidate), "cost": 1 - float(proposal.candidate["x"])}  # type: ignore[arg-type]
        trial = Trial(number, proposal.candidate, State.FINISHED, metrics)
        study = replace(study, trials=(*study.trials, trial), issued=number + 1)
    kept = [trial.metrics["loss"] for trial in study.trials if bound.violation(trial.metrics) == 0]
    assert len(kept) > 15
    assert min(kept) < (0.6 - 0.31) ** 2 + 0.005


def test_two_objectives_are_followed_to_several_places_of_their_front() -> None:
    """The nearer to x = 0.2 the better the one, to x = 0.8 the other: all between is the front, y = 0.5 alone."""
    study = StudyView(PLANE, Objective("left"), others=(Objective("right"),))
    for number in range(30):
        (proposal,) = GP().propose(study, 1)
        x, y = float(proposal.candidate["x"]), float(proposal.candidate["y"])  # type: ignore[arg-type]
        metrics = {"left": (x - 0.2) ** 2 + (y - 0.5) ** 2, "right": (x - 0.8) ** 2 + (y - 0.5) ** 2}
        trial = Trial(number, proposal.candidate, State.FINISHED, metrics)
        study = replace(study, trials=(*study.trials, trial), issued=number + 1)
    late = np.array([[trial.candidate["x"], trial.candidate["y"]] for trial in study.trials[12:]], dtype=float)
    near = late[(np.abs(late[:, 1] - 0.5) < 0.15) & (late[:, 0] > 0.1) & (late[:, 0] < 0.9)]
    assert len(near) > 12
    assert np.ptp(near[:, 0]) > 0.4


def test_where_no_trial_keeps_a_bound_the_nearest_to_it_is_looked_for() -> None:
    bound = Constraint("cost", "<=", 0.01)
    rng = np.random.default_rng(0)
    trials = []
    for number in range(15):
        candidate = {"x": 0.3 * rng.random(), "y": rng.random()}
        trials.append(Trial(number, candidate, State.FINISHED, {"loss": bowl(candidate), "cost": 1 - candidate["x"]}))
    study = StudyView(PLANE, Objective("loss"), tuple(trials), 15, constraints=(bound,))
    (proposal,) = GP().propose(study, 1)
    assert float(proposal.candidate["x"]) > 0.6  # type: ignore[arg-type]


def test_the_right_branch_of_a_condition_is_found() -> None:
    space = Parameters(
        {
            "kind": {
                "choice": {
                    "flat": {"a": {"uniform": [0, 1]}},
                    "steep": {"b": {"loguniform": [1e-5, 1]}, "n": {"int": [1, 20]}},
                    "none": {},
                }
            }
        }
    )

    def judge(candidate: Mapping[str, Value]) -> float:
        if candidate["kind"] != "steep":
            return 1.0
        return abs(np.log10(float(candidate["b"])) + 3) / 3 + abs(int(candidate["n"]) - 7) / 20  # type: ignore[arg-type]

    assert best(play(space, judge, 30)) < 0.1


def test_parallel_proposals_keep_apart() -> None:
    proposals = GP().propose(play(PLANE, bowl, 10), 6)
    points = np.array([[p.candidate["x"], p.candidate["y"]] for p in proposals], dtype=float)
    distances = np.linalg.norm(points[:, None] - points[None, :], axis=-1) + np.eye(6)
    assert distances.min() > 1e-4


def test_noise_is_not_believed() -> None:
    rng = np.random.default_rng(3)
    study = play(PLANE, lambda candidate: bowl(candidate) + 0.05 * rng.normal(), 40)
    late = [bowl(trial.candidate) for trial in study.trials[25:]]
    assert np.median(late) < 0.05


def test_a_users_function_is_asked_little_for_a_proposal() -> None:
    calls = []

    def build(choose) -> None:
        calls.append(choose.uniform("x", 0, 1))

    study = play(Code(build), lambda candidate: float(candidate["x"]), 14)  # type: ignore[arg-type]
    before = len(calls)
    GP().propose(study, 1)
    assert len(calls) - before <= 40


def test_of_too_many_trials_the_best_and_the_latest_are_kept() -> None:
    losses = np.random.default_rng(0).random(5000)
    losses[7] = np.nan
    kept = thinned(losses, MOST_SEEN)
    assert len(kept) == len(set(kept)) == MOST_SEEN
    assert np.nanargmin(losses) in kept
    assert set(range(4900, 5000)) <= set(kept)


def test_of_many_trials_the_latest_few_count_at_once_but_kernels_are_fitted_to_them_later() -> None:
    at_800, at_805, at_808 = (observed(count) for count in (800, 805, 808))
    np.testing.assert_array_equal(at_805.fitted.values, at_800.values)
    np.testing.assert_array_equal(at_805.fitted.excesses, at_800.excesses)
    assert len(at_805.units) == MOST_SEEN
    np.testing.assert_array_equal(at_805.units[-5:], at_808.units[-8:-3])
    assert at_800.fitted is at_800
    assert at_808.fitted is at_808


def test_with_a_new_best_trial_kernels_are_fitted_at_once() -> None:
    assert observed(803, best=802).older is None
    assert len(observed(205, best=203).fitted.values) == 204


def test_of_few_trials_all_count_for_kernels_at_once() -> None:
    assert all(observed(count).older is None for count in range(190, 200))


def observed(count: int, best: int = 0) -> Observations:
    """What so many of a long study's trials tell, of which one is the best."""
    rng = np.random.default_rng(0)
    candidates = [PLANE.sample(rng) for _ in range(count)]
    candidates[best] = {"x": 0.31, "y": 0.77}
    trials = [Trial(i, each, State.FINISHED, {"loss": bowl(each), "cost": i % 7}) for i, each in enumerate(candidates)]
    study = StudyView(PLANE, Objective("loss"), tuple(trials), count, constraints=(Constraint("cost", "<=", 3.0),))
    return observe(study, cube_of(PLANE, 0))


@pytest.mark.parametrize("losses", [[1.0] * 20, [1e300 * (i % 3 - 1) for i in range(20)], [1e-300 * i for i in range(20)]])
def test_objectives_of_any_scale_are_borne(losses: list[float]) -> None:
    study = play(PLANE, lambda candidate: losses[0], 0)
    rng = np.random.default_rng(0)
    trials = tuple(Trial(i, PLANE.sample(rng), State.FINISHED, {"loss": loss}) for i, loss in enumerate(losses))
    assert len(GP().propose(replace(study, trials=trials, issued=20), 2)) == 2


def test_a_plateau_is_left_for_other_places() -> None:
    """A function of steps: the first best step found is wide, and the better one is small and far from it."""

    def judge(candidate: Mapping[str, Value]) -> float:
        x, y = float(candidate["x"]), float(candidate["y"])  # type: ignore[arg-type]
        if x > 0.85 and y < 0.15:
            return 0.0
        return 0.2 if x < 0.6 and y > 0.3 else 0.5 + x - y

    study = play(PLANE, judge, 40)
    ties = sum(trial.metrics["loss"] == 0.2 for trial in study.trials)
    assert best(study) == 0.0
    assert ties < 25
