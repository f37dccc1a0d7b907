"""The leaderboard's order, and which trial is the best."""

import pytest

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.ranking import best_trial, pareto_front, ranking, volume_growth, volume_to_json
from tunesmith.study import State, Trial

ACCURACY = Objective("val_accuracy", "maximize")
LATENCY = Objective("latency_ms")
FAST = Constraint("latency_ms", "<=", 5)
BOTH = Aims((ACCURACY, LATENCY))


def trial(number: int, state: State = State.FINISHED, **metrics: float) -> Trial:
    return Trial(number, {"x": number}, state, metrics)


def best_number(trials: list[Trial], aims: Aims) -> int | None:
    best = best_trial(trials, aims)
    return best.number if best else None


def point(number: int, accuracy: float, latency: float) -> Trial:
    return trial(number, val_accuracy=accuracy, latency_ms=latency)


def numbers(trials: list[Trial], *objectives: Objective, constraints: tuple[Constraint, ...] = ()) -> list[int]:
    return [trial.number for trial in ranking(trials, Aims(objectives or (ACCURACY,), constraints))]


def test_finished_trials_come_first_then_stopped_failed_and_running_ones() -> None:
    states = [State.RUNNING, State.FAILED, State.STOPPED, State.FINISHED]
    assert numbers([trial(i, state, val_accuracy=1 - i / 10) for i, state in enumerate(states)]) == [3, 2, 1, 0]


@pytest.mark.parametrize(("goal", "order"), [("maximize", [1, 0, 2]), ("minimize", [2, 0, 1])])
def test_the_goal_decides_the_order(goal, order: list[int]) -> None:
    trials = [trial(0, value=0.5), trial(1, value=0.9), trial(2, value=0.1)]
    assert numbers(trials, Objective("value", goal)) == order


def test_equal_accuracies_are_ordered_by_loss_then_by_number() -> None:
    trials = [
        trial(0, val_accuracy=0.9, val_loss=0.3),
        trial(1, val_accuracy=0.9, val_loss=0.2),
        trial(2, val_accuracy=0.9, val_loss=0.2),
    ]
    assert numbers(trials) == [1, 2, 0]


def test_a_stopped_trial_is_never_the_best() -> None:
    assert best_number([trial(0, State.STOPPED, val_accuracy=0.99), trial(1, val_accuracy=0.5)], Aims((ACCURACY,))) == 1
    assert best_trial([trial(0, State.STOPPED, val_accuracy=0.99)], Aims((ACCURACY,))) is None


def test_trials_beyond_a_constraint_come_after_those_within_the_nearest_first() -> None:
    trials = [point(0, 0.99, 50), point(1, 0.98, 6), point(2, 0.1, 5), point(3, 0.5, 1), trial(4, State.STOPPED)]
    assert numbers(trials, ACCURACY, constraints=(FAST,)) == [3, 2, 1, 0, 4]


def test_a_trial_that_did_not_report_a_constraint_does_not_keep_it() -> None:
    assert best_trial([trial(0, val_accuracy=0.9)], Aims((ACCURACY,), (FAST,))) is None


def test_no_trial_is_the_best_where_none_keeps_the_constraints() -> None:
    assert best_trial([point(0, 0.99, 50)], Aims((ACCURACY,), (FAST,))) is None
    assert best_number([point(0, 0.99, 50), point(1, 0.2, 1)], Aims((ACCURACY,), (FAST,))) == 1


def test_several_objectives_order_by_front_and_within_one_by_the_distance_to_the_ideal() -> None:
    trials = [
        point(0, 0.9, 10),  # an end of the front
        point(1, 0.8, 2),  # its knee
        point(2, 0.5, 1),  # the other end
        point(3, 0.79, 2.1),  # behind the knee
        point(4, 0.4, 12),  # behind all
        point(5, 0.4, 1.5),  # behind the other end
    ]
    assert [t.number for t in ranking(trials, BOTH)][:3] == [1, 0, 2]
    assert [t.number for t in ranking(trials, BOTH)] == [1, 0, 2, 3, 5, 4]
    assert [t.number for t in pareto_front(trials, BOTH)] == [1, 0, 2]
    assert best_number(trials, BOTH) == 1


def test_the_first_objective_decides_between_two_ends() -> None:
    assert best_number([point(0, 0.1, 1), point(1, 0.9, 9)], BOTH) == 1


def test_the_front_is_of_finished_trials_within_the_constraints() -> None:
    trials = [point(0, 0.9, 10), point(1, 0.8, 4), trial(2, State.STOPPED, val_accuracy=0.99, latency_ms=1)]
    assert [t.number for t in pareto_front(trials, Aims((ACCURACY, LATENCY), (FAST,)))] == [1]
    assert pareto_front([trial(0, State.FAILED), trial(1, State.RUNNING), trial(2, val_accuracy=1.0)], BOTH) == []


def test_equal_trials_share_the_front() -> None:
    assert [t.number for t in pareto_front([point(1, 0.5, 5), point(0, 0.5, 5)], BOTH)] == [0, 1]


def test_one_objective_has_a_front_of_the_best() -> None:
    assert [t.number for t in pareto_front([point(0, 0.5, 5), point(1, 0.7, 5)], Aims((ACCURACY,)))] == [1]


def test_a_trial_that_lacks_one_of_several_objectives_is_behind_all_that_have_them() -> None:
    trials = [trial(0, val_accuracy=0.99), point(1, 0.5, 9), point(2, 0.9, 3)]
    assert numbers(trials, ACCURACY, LATENCY) == [2, 1, 0]


def test_the_knee_does_not_depend_on_what_is_far_behind_the_front() -> None:
    front = [point(0, 0.9, 10), point(1, 0.8, 2), point(2, 0.5, 1)]
    assert best_number([*front, point(3, 0.01, 1e6)], BOTH) == 1


def test_the_hypervolume_is_told_wherever_it_grew_by_the_trials_that_count() -> None:
    trials = [point(0, 0.0, 4.0), point(4, 0.5, 0.0), point(1, 1.0, 2.0), trial(2, State.FAILED), point(3, 0.1, 3.0)]
    growth = volume_growth(trials, BOTH)
    assert growth == [(0, 0.0), (1, pytest.approx(0.5)), (3, pytest.approx(0.5)), (4, pytest.approx(0.75))]
    assert [entry["trial"] for entry in volume_to_json(growth)] == [0, 1, 4]
    assert volume_growth(trials, Aims((ACCURACY, LATENCY), (Constraint("latency_ms", "<=", 3),)))[0][0] == 1


def test_of_one_objective_and_of_many_there_is_no_hypervolume() -> None:
    trials = [trial(n, a=n, b=-n, c=n, d=n) for n in range(3)]
    assert volume_growth(trials, Aims((Objective("a"),))) == []
    assert volume_growth(trials, Aims(tuple(map(Objective, "abcd")))) == []
    assert len(volume_growth(trials, Aims(tuple(map(Objective, "abc"))))) == 3
