"""The order of trials by merit."""

from tunesmith.advice._evidence import gather
from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.ranking import best_trial
from tunesmith.study import State, Trial

LOSS = Aims((Objective("loss"),))


def finished(number: int, **metrics: float) -> Trial:
    return Trial(number, {"x": number}, State.FINISHED, metrics)


def test_the_best_quarter_is_led_by_the_best_and_has_at_least_five() -> None:
    trials = [finished(i, accuracy=i / 10) for i in range(12)]
    assert [trial.number for trial in gather(trials, Aims((Objective("accuracy", "maximize"),))).good] == [11, 10, 9, 8, 7]
    assert len(gather([finished(i, loss=i) for i in range(100)], LOSS).good) == 25


def test_stopped_failed_and_infinite_trials_share_the_last_place() -> None:
    trials = [
        finished(0, loss=3.0),
        Trial(1, {"x": 1}, State.STOPPED, {"loss": 0.1}),
        Trial(2, {"x": 2}, State.FAILED),
        finished(3, loss=float("nan")),
        Trial(4, {"x": 4}),
    ]
    evidence = gather(trials, LOSS)
    assert evidence.levels.tolist() == [0, 1, 1, 1]
    assert [trial.number for trial in evidence.good] == [0]


def test_a_trial_that_misses_a_constraint_is_behind_all_that_keep_it() -> None:
    rule = Constraint("latency_ms", "<=", 5.0)
    trials = [
        finished(0, loss=0.1, latency_ms=9.0),
        finished(1, loss=0.9, latency_ms=4.0),
        finished(2, loss=0.2, latency_ms=6.0),
    ]
    evidence = gather([*trials, finished(3, loss=0.0)], Aims((Objective("loss"),), (rule,)))
    assert evidence.levels.tolist() == [2, 0, 1, 3]
    assert evidence.finite.tolist() == [0.9]


def test_of_several_objectives_the_whole_front_is_good_the_knee_first() -> None:
    both = Aims((Objective("loss"), Objective("seconds")))
    trials = [finished(i, loss=1 - i / 9, seconds=(i / 9) ** 2) for i in range(10)]
    trials += [finished(i, loss=2.0 + i, seconds=2.0) for i in range(10, 19)] + [finished(19, loss=0.0)]
    evidence = gather(trials, both)
    assert sorted(trial.number for trial in evidence.good) == list(range(10))
    assert evidence.good[0].number == best_trial(trials, both).number  # pyright: ignore[reportOptionalMemberAccess]
    assert evidence.levels[19] == evidence.levels.max()


def test_equal_values_share_a_place() -> None:
    assert gather([finished(i, loss=1.0) for i in range(4)], LOSS).constant
