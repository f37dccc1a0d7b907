"""What a strategy is shown of a study."""

import math
from dataclasses import replace

from tunesmith.spaces.parameters import Parameters
from tunesmith.study import Constraint, Objective, State, StudyView, Trial, trial_seed

ACCURACY = Objective("val_accuracy", "maximize")


def trial(number: int, state: State = State.FINISHED, **metrics: float) -> Trial:
    return Trial(number, {"x": number}, state, metrics)


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


SPACE = Parameters({"x": {"uniform": [0, 1]}})
LATENCY = Objective("latency_ms")


def view(*trials: Trial, **more: object) -> StudyView:
    return StudyView(SPACE, ACCURACY, trials, issued=len(trials), **more)  # pyright: ignore[reportArgumentType]


def test_rows_hold_one_loss_an_objective_of_trials_that_have_them_all() -> None:
    trials = [
        trial(0, val_accuracy=0.5, latency_ms=3.0),
        trial(1, val_accuracy=0.5),
        trial(2, val_accuracy=0.9, latency_ms=math.inf),
        trial(3, State.STOPPED, val_accuracy=0.2, latency_ms=1.0),
        trial(4, State.FAILED, val_accuracy=0.2, latency_ms=1.0),
    ]
    assert view(*trials, others=(LATENCY,)).loss_rows() == {0: (-0.5, 3.0), 3: (-0.2, 1.0)}
    assert view(*trials).loss_rows() == {number: (loss,) for number, loss in view(*trials).losses().items()}


def test_merits_are_the_losses_where_there_is_one_objective_and_no_constraint() -> None:
    study = view(trial(0, val_accuracy=0.5), trial(1, State.STOPPED, val_accuracy=0.7), trial(2, State.FAILED))
    assert study.merits() == study.losses()


def test_trials_beyond_a_constraint_are_worse_than_all_within_the_further_the_worse() -> None:
    study = view(
        *[trial(0, val_accuracy=0.5, latency_ms=3), trial(1, val_accuracy=0.99, latency_ms=9)],
        *[trial(2, val_accuracy=0.98, latency_ms=5.1), trial(3, val_accuracy=0.1, latency_ms=5), trial(4, val_accuracy=0.999)],
        constraints=(Constraint("latency_ms", "<=", 5),),
    )
    merits = study.merits()
    assert sorted(merits, key=lambda number: merits[number]) == [0, 3, 2, 1, 4]
    assert {number: merits[number] for number in (0, 3)} == {0: -0.5, 3: -0.1}


def test_where_no_trial_keeps_the_constraints_the_nearest_is_the_best() -> None:
    study = view(
        *[trial(0, val_accuracy=0.9, latency_ms=30), trial(1, val_accuracy=0.1, latency_ms=6)],
        constraints=(Constraint("latency_ms", "<=", 5),),
    )
    assert study.merits()[1] < study.merits()[0]


def test_merits_follow_every_objective_in_turn_and_the_same_for_the_same_number_issued() -> None:
    accurate, fast = trial(0, val_accuracy=0.9, latency_ms=9), trial(1, val_accuracy=0.1, latency_ms=1)
    study = view(accurate, fast, trial(2, val_accuracy=0.05, latency_ms=10), others=(LATENCY,))
    leaders = []
    for issued in range(12):
        merits = replace(study, issued=issued).merits()
        assert merits == replace(study, issued=issued).merits()
        leaders.append(min(merits, key=lambda number: merits[number]))
    assert set(leaders) == {0, 1}


def test_merits_are_finite_whatever_the_scale() -> None:
    huge = [trial(i, val_accuracy=10.0**power, latency_ms=-(10.0**power)) for i, power in enumerate((-300, 0, 308))]
    far = Constraint("latency_ms", ">=", -1e-300)
    for more in ({"others": (LATENCY,)}, {"constraints": (far,)}, {"others": (LATENCY,), "constraints": (far,)}):
        assert all(math.isfinite(merit) for merit in view(*huge, **more).merits().values())


def test_a_trial_is_feasible_that_has_ended_and_is_known_to_keep_every_constraint() -> None:
    study = view(constraints=(Constraint("latency_ms", "<=", 5), Constraint("val_accuracy", ">=", 0.5)))
    assert study.feasible(trial(0, val_accuracy=0.5, latency_ms=5))
    assert study.feasible(trial(0, State.STOPPED, val_accuracy=0.5, latency_ms=5))
    assert not study.feasible(trial(0, val_accuracy=0.4, latency_ms=5))
    assert not study.feasible(trial(0, val_accuracy=0.6))
    assert not study.feasible(trial(0, State.RUNNING, val_accuracy=0.6, latency_ms=1))


def test_the_best_trials_are_those_that_keep_the_constraints_by_front_the_lonely_first() -> None:
    figures = [(0.9, 9.0), (0.85, 5.0), (0.84, 4.9), (0.5, 1.0), (0.4, 6.0), (0.99, 11.0), (0.95, 20.0)]
    trials = [trial(i, val_accuracy=accuracy, latency_ms=latency) for i, (accuracy, latency) in enumerate(figures)]
    study = view(*trials, trial(7, val_accuracy=1.0), others=(LATENCY,), constraints=(Constraint("latency_ms", "<=", 10),))
    order = study.best_first()
    assert set(order[:2]) == {0, 3}, "the ends of the front"
    assert order[4:] == [4, 5, 6], "behind the front, then by how far they miss"
    assert order[:3] == study.best_first(3)[:3]
    assert view().best_first() == []
