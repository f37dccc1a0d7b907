"""The figures of a model are right: compared with values worked out by hand or printed elsewhere."""

import math

import numpy as np
import pytest

from tunesmith.errors import SpecError
from tunesmith.figures import ROC_POINTS, bootstrap, judge_classes, judge_regression, wilson


def one_hot(guesses: list[int], classes: int, certainty: float = 0.8) -> np.ndarray:
    """Return probabilities whose largest stands at each guess."""
    rest = (1 - certainty) / (classes - 1)
    return np.where(np.eye(classes)[guesses] == 1, certainty, rest)


def test_wilsons_interval_is_that_of_the_textbook():
    # Newcombe (1998), Statistics in Medicine 17:857, table I: 81 of 263, 15 of 148, 0 of 20.
    for successes, total, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        assert wilson(successes, total) == pytest.approx((low, high), abs=5e-5)


def test_a_perfect_score_still_has_an_interval_below_one():
    figures = judge_classes(np.array([0, 1, 2]), one_hot([0, 1, 2], 3), ("a", "b", "c"))
    assert figures.metrics["accuracy"] == 1
    assert figures.intervals["accuracy"][0] < 0.5


def test_class_figures_are_those_worked_out_by_hand():
    y = np.array([0, 0, 0, 1, 1, 2])
    figures = judge_classes(y, one_hot([0, 0, 1, 1, 0, 1], 3), ("ant", "bee", "cat"))
    assert figures.confusion == ((2, 1, 0), (1, 1, 0), (0, 1, 0))
    ant, bee, cat = figures.classes
    assert (ant.name, ant.support, ant.precision, ant.recall, ant.f1) == ("ant", 3, *[pytest.approx(2 / 3)] * 3)
    assert (bee.precision, bee.recall) == (pytest.approx(1 / 3), 0.5)
    assert (cat.precision, cat.recall, cat.f1, cat.support) == (0, 0, 0, 1)
    assert figures.metrics["accuracy"] == 0.5
    assert figures.metrics["macro_f1"] == pytest.approx((2 / 3 + 0.4 + 0) / 3)
    assert figures.metrics["log_loss"] == pytest.approx(-(3 * math.log(0.8) + 3 * math.log(0.1)) / 6)


def test_a_class_without_test_examples_keeps_its_row():
    figures = judge_classes(np.array([0, 1]), one_hot([0, 1], 3), ("a", "b", "c"))
    assert figures.confusion[2] == (0, 0, 0)
    assert figures.classes[2].support == 0


def test_two_classes_have_an_area_under_the_roc_curve():
    y = np.array([0, 0, 1, 1])
    scores = np.array([0.1, 0.4, 0.35, 0.8])
    figures = judge_classes(y, np.stack([1 - scores, scores], axis=1), ("no", "yes"))
    assert figures.metrics["roc_auc"] == 0.75
    assert (figures.roc[0].false_positive_rate, figures.roc[0].true_positive_rate, figures.roc[0].threshold) == (0, 0, 1)
    assert (figures.roc[-1].false_positive_rate, figures.roc[-1].true_positive_rate) == (1, 1)


def test_a_long_roc_curve_is_thinned_but_keeps_its_ends():
    rng = np.random.default_rng(0)
    y, scores = rng.integers(0, 2, 5000), rng.random(5000)
    roc = judge_classes(y, np.stack([1 - scores, scores], axis=1), ("no", "yes")).roc
    assert len(roc) == ROC_POINTS
    assert (roc[0].true_positive_rate, roc[-1].true_positive_rate) == (0, 1)


def test_figures_that_are_undefined_on_these_examples_are_left_out():
    assert "roc_auc" not in judge_classes(np.array([1, 1]), one_hot([1, 1], 2), ("no", "yes")).metrics
    assert "r2" not in judge_regression(np.array([3.0]), np.array([[2.0]])).metrics
    assert "r2" not in judge_regression(np.array([3.0, 3.0]), np.array([[2.0], [4.0]])).metrics


@pytest.mark.parametrize("answers", [[[2.0, -1.0]], [[0.3, 0.3]], [[3.0, 4.0]]])
def test_answers_that_are_no_probabilities_are_refused_with_the_remedy(answers: list[list[float]]):
    with pytest.raises(SpecError, match="softmax"):
        judge_classes(np.array([0]), np.array(answers), ("no", "yes"))


def test_regression_figures_are_those_worked_out_by_hand():
    figures = judge_regression(np.array([1.0, 2.0, 3.0, 6.0]), np.array([[1.0], [3.0], [3.0], [3.0]]))
    assert figures.metrics == pytest.approx({"mae": 1.0, "rmse": math.sqrt(2.5), "r2": 1 - 10 / 14})
    low, high = figures.intervals["mae"]
    assert 0 <= low < 1 < high <= 3


def test_the_bootstrap_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = [low <= 1 <= high for low, high in (bootstrap(rng.exponential(size=200)) for _ in range(60))]
    assert 0.85 <= np.mean(covered) <= 1


def test_the_bootstrap_is_the_same_each_time():
    values = np.random.default_rng(2).random(50)
    assert bootstrap(values) == bootstrap(values)
