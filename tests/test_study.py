"""The leaderboard's order, and what a strategy is shown."""

import math

import pytest

from tunesmith.spaces.parameters import Parameters
from tunesmith.study import Objective, State, StudyView, Trial, best_trial, ranking, trial_seed

ACCURACY = Objective("val_accuracy", "maximize")


def trial(number: int, state: State = State.FINISHED, **metrics: float) -> Trial:
    return Trial(number, {"x": number}, state, metrics)


def numbers(trials: list[Trial], objective: Objective = ACCURACY) -> list[int]:
    return [trial.number for trial in ranking(trials, objective)]


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
    assert best_trial([trial(0, State.STOPPED, val_accuracy=0.99), trial(1, val_accuracy=0.5)], ACCURACY).number == 1
    assert best_trial([trial(0, State.STOPPED, val_accuracy=0.99)], ACCURACY) is None


def test_a_strategy_sees_losses_of_ended_trials_with_a_finite_value_only() -> None:
    trials = (
        trial(0, val_accuracy=0.5),
        trial(1, val_accuracy=math.nan),
        trial(2, State.RUNNING),
        trial(3, State.STOPPED, val_accuracy=0.2),
    )
    view = StudyView(Parameters({"x": {"uniform": [0, 1]}}), ACCURACY, trials, issued=4)
    assert view.losses() == {0: -0.5, 3: -0.2}


def test_random_streams_differ_by_issue_number_and_repeat_for_the_same() -> None:
    space = Parameters({"x": {"uniform": [0, 1]}})
    drawn = [StudyView(space, ACCURACY, issued=issued).rng().random() for issued in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_trial_seeds_are_small_and_differ() -> None:
    seeds = {trial_seed(0, number) for number in range(1000)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)
