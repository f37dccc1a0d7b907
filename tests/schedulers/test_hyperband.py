"""Hyperband: brackets that follow from the trials' numbers, each judged from a later rung on."""

from collections import Counter

from tests.schedulers.test_halving import level
from tunesmith.schedulers._scheduler import Curve
from tunesmith.schedulers.hyperband import Hyperband


def first_rung(number: int, others: dict[int, Curve], steps: int = 81) -> int | None:
    """The first step after which a hopeless trial of this number is stopped."""
    return next((step for step in range(1, steps) if Hyperband().verdict(number, [9.0] * step, others)), None)


def full(trials: int, steps: int) -> dict[int, Curve]:
    return {number: level(0.1, steps, finished=True) for number in range(trials)}


def test_a_bracket_starts_at_each_rung_and_gets_hyperbands_share_of_the_trials() -> None:
    found = Counter(first_rung(number, full(60, 81)) for number in range(1000, 2000))
    # 3 rungs below 81: counts as 9/3, 3/2 and 1.
    assert set(found) == {3, 9, 27}
    assert all(abs(found[step] - share) < 30 for step, share in ((3, 1000 * 6 / 11), (9, 1000 * 3 / 11), (27, 1000 * 2 / 11)))


def test_brackets_follow_from_the_number_alone_and_are_mixed_from_the_start() -> None:
    found = [first_rung(number, full(60, 81)) for number in range(60, 72)]
    assert found == [first_rung(number, full(60, 81)) for number in range(60, 72)]
    assert set(found) == {3, 9, 27}


def test_trials_compete_within_their_bracket() -> None:
    early = next(number for number in range(60, 99) if first_rung(number, full(60, 81)) == 3)
    rivals = [number for number in range(60) if first_rung(number, full(60, 81)) == 3]
    others = {number: level(0.5 if number in rivals else 0.1, 81, finished=True) for number in range(60)}
    assert Hyperband().verdict(early, [0.4] * 3, others) == ""


def test_until_a_trial_has_finished_all_are_judged_from_the_first_rung_on() -> None:
    running = {number: level(0.1, 20) for number in range(10)}
    assert {first_rung(number, running) for number in range(20, 40)} == {3}


def test_short_trials_make_one_bracket() -> None:
    assert {first_rung(number, full(10, 9), 9) for number in range(20, 40)} == {3}
