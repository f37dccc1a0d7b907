"""The benchmark's problems: their optima and their variants."""

import numpy as np
import pytest

from quality.problem import TrialFailed, to_unit
from quality.problems import find, select

MADE = find(None, 0)


@pytest.mark.parametrize("shift", [0, 1, 5])
def test_the_best_value_of_every_made_problem_is_that_of_its_optimum(shift):
    for problem in find(None, shift).values():
        assert problem.loss(problem.optimum) == pytest.approx(problem.best, abs=1e-6), problem.name


@pytest.mark.parametrize("name", MADE)
def test_no_candidate_is_better_than_the_best_known(name):
    problem, rng = MADE[name], np.random.default_rng(0)
    for _ in range(200):
        try:
            assert problem.loss(problem.space.sample(rng)) >= problem.best - 1e-9
        except TrialFailed:
            assert "failing" in name


@pytest.mark.parametrize("name", MADE)
def test_a_small_step_away_from_the_optimum_is_no_better(name):
    problem, rng = MADE[name], np.random.default_rng(1)
    numbers = [knob for knob in problem.knobs if knob.name in problem.optimum and not knob.choices]
    for _ in range(50):
        moved = dict(problem.optimum)
        for knob in numbers:
            unit = float(knob.distribution.cdf([moved[knob.name]])[0]) + rng.normal(0, 0.01)
            moved[knob.name] = knob.distribution.quantile(min(max(unit, 0.0), 1.0))
        try:
            assert problem.loss(moved) >= problem.best - 1e-9
        except TrialFailed:
            assert "failing" in name


def test_every_optimum_is_a_candidate_of_the_space_and_lies_off_the_centre():
    for problem in MADE.values():
        problem.space.realize(problem.optimum)
        places = to_unit([knob for knob in problem.knobs if knob.name in problem.optimum], problem.optimum)
        assert (abs(places - 0.5) > 0.04).mean() >= 0.5, problem.name


def test_another_shift_has_its_optimum_elsewhere_and_another_name():
    assert find(None, 1)["ackley10/1"].optimum != MADE["ackley10"].optimum


def test_noise_depends_on_the_trial_alone_and_leaves_the_true_value():
    problem = MADE["hartmann6-noisy"]
    candidate = problem.optimum
    once, again, later = (problem.evaluate(candidate, 3, number) for number in (7, 7, 8))
    assert once == again != later
    assert once[1] == later[1] == pytest.approx(problem.best, abs=1e-6)


def test_a_failing_problem_fails_now_and_then():
    problem, rng = MADE["network8-failing"], np.random.default_rng(0)
    failed = 0
    for _ in range(300):
        try:
            problem.loss(problem.space.sample(rng))
        except TrialFailed:
            failed += 1
    assert 30 < failed < 150


def test_problems_are_chosen_by_patterns():
    assert [problem.name for problem in select(MADE, ["cash5*"])] == ["cash5", "cash5-noisy", "cash5-failing"]
