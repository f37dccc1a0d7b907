"""Judging a candidate by a user's function: what it may return, and what each unusable answer is called."""

import math
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from tests.evaluation.sets import make_context
from tunesmith.errors import TrialFailed
from tunesmith.evaluation.function import FunctionEvaluator


def evaluate(function, candidate=None, **settings) -> dict[str, float]:
    return FunctionEvaluator(function, **settings).evaluate(candidate or {"x": 3}, make_context(Path())[0])


def test_a_number_is_the_objective():
    assert evaluate(lambda candidate: candidate["x"] ** 2) == {"loss": 9.0}
    assert evaluate(lambda candidate: np.float32(0.5), metric="error") == {"error": 0.5}
    assert evaluate(lambda candidate: np.array(2)) == {"loss": 2.0}


def test_a_dictionary_holds_further_metrics():
    assert evaluate(lambda candidate: {"loss": 1, "status": "ok", "seen": 2.5}) == {"loss": 1.0, "seen": 2.5}


def test_a_further_metric_that_is_not_finite_is_left_out():
    assert evaluate(lambda candidate: {"loss": 1, "ratio": math.inf}) == {"loss": 1.0}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": "fail", "reason": "too hot"}, "^too hot$"),
        ({"status": "fail"}, "returned status 'fail'"),
        ({"status": "maybe", "loss": 1}, "status 'maybe'; allowed: 'ok', 'fail'"),
        ({"error": 1}, "no metric 'loss'; it returned: error"),
        ({}, "no metric 'loss'; it returned: none"),
        ({"loss": "low"}, "for 'loss' returned 'low'; needs a number"),
        (None, "returned None; needs a number"),
        (True, "returned True; needs a number"),
        ([1, 2], r"returned \[1, 2\]; needs a number"),
        (np.zeros(3), "returned ndarray of several numbers; needs one"),
        (math.nan, "loss is nan"),
        ({"loss": -math.inf}, "loss is -inf"),
    ],
)
def test_an_unusable_answer_fails_the_trial_with_a_reason(answer, reason: str):
    with pytest.raises(TrialFailed, match=reason):
        evaluate(lambda candidate: answer)


def test_a_function_of_two_arguments_gets_the_context_and_can_report():
    context, reports = make_context(Path())

    def function(candidate, context):
        context.report(1, {"loss": 5.0})
        return 1.0

    FunctionEvaluator(function).evaluate({}, context)
    assert reports == [(1, {"loss": 5.0})]


def test_a_second_argument_with_a_default_of_its_own_is_left_alone():
    assert evaluate(lambda candidate, power=3: candidate["x"] ** power) == {"loss": 27.0}


def test_a_builtin_can_be_minimized():
    assert evaluate(abs, {"x": -2}, bare="x") == {"loss": 2.0}


def test_the_one_parameter_of_a_bare_space_comes_as_its_value():
    assert evaluate(lambda x: x + 1, {"x": 1}, bare="x") == {"loss": 2.0}


def test_the_function_may_change_what_it_was_given():
    candidate = {"x": 1}
    evaluate(lambda given: given.pop("x"), candidate)
    assert candidate == {"x": 1}


def test_an_error_passes_with_its_traceback():
    with pytest.raises(ZeroDivisionError):
        evaluate(lambda candidate: 1 / 0)


def test_a_closure_travels_to_a_worker():
    offset = 4
    evaluator = FunctionEvaluator(lambda candidate: candidate["x"] + offset)
    assert cloudpickle.loads(cloudpickle.dumps(evaluator)).evaluate({"x": 1}, make_context(Path())[0]) == {"loss": 5.0}
