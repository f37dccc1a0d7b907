"""The charts of a report."""

import itertools
import re
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, settings, strategies as st

from tests.report.contents import OBJECTIVE, function_search, image_search
from tests.report.markup import Page
from tunesmith.report._confusion import draw_confusion, mistakes
from tunesmith.report._curves import curve_metric, draw_curves
from tunesmith.report._history import draw_history
from tunesmith.report._parameters import draw_parameters
from tunesmith.report._svg import scale, thinned, typical
from tunesmith.report.content import ReportContent
from tunesmith.study import Objective, State, Trial

numbers = st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-12)


def finished(number: int, value: float, **candidate: object) -> Trial:
    return Trial(number, candidate, State.FINISHED, {"val_accuracy": value})  # pyright: ignore[reportArgumentType]


def study(trials: list[Trial], **more: object) -> ReportContent:
    return ReportContent("T", {}, OBJECTIVE, trials, **more)  # pyright: ignore[reportArgumentType]


@settings(deadline=None)
@given(st.lists(numbers | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_a_scale_keeps_all_values_inside_and_in_order(values: list[float]):
    made = scale(values, 0, 100)
    assert made.ticks()
    pixels = [made(value) for value in sorted(values)]
    assert pixels == sorted(pixels)
    assert all(0 <= pixel <= 100 for pixel in pixels)


@settings(deadline=None)
@given(st.lists(numbers, min_size=1, max_size=30))
def test_a_scale_has_a_few_ticks_inside_its_range(values: list[float]):
    made = scale(values, 0, 100)
    ticks = made.ticks(6)
    assert 1 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))
    slack = 1e-6 * max(abs(made.low), abs(made.high))
    assert all(made.low - slack <= tick <= made.high + slack for tick in ticks)


def test_values_over_many_magnitudes_get_a_logarithmic_axis():
    assert scale([1e-4, 1e-3, 1e-2, 1e-1], 0, 100).ticks(6) == [1e-4, 1e-3, 1e-2, 1e-1]


def test_a_single_small_value_among_large_ones_does_not_make_the_axis_logarithmic():
    assert not scale([0.001, 0.15, 0.2, 0.25, 0.3], 0, 100).log


def test_far_bad_values_do_not_squeeze_the_others_and_good_ones_are_kept():
    assert max(typical([*range(20), 1e6], minimize=True)) == 19
    assert min(typical([*range(20), -1e6], minimize=True)) == -1e6


def test_thinning_keeps_both_ends():
    assert [*thinned(range(1001), 5)] == [0, 250, 500, 750, 1000]


def test_the_history_joins_trials_to_those_that_were_edited_from_them():
    content = image_search()
    best = content.best
    assert best is not None
    first = min(trial.number for trial in content.in_state(State.FINISHED) if trial.number != best.number)
    trials = [replace(trial, parent=first if trial.number > first else None) for trial in content.trials]
    drawn = draw_history(replace(content, trials=trials))
    assert drawn.count('class="kin of-the-best"') == 1
    assert drawn.count('class="kin"') > 5
    assert "kin" not in draw_history(content)


def test_the_history_marks_every_trial_by_its_state():
    content = image_search()
    drawn = draw_history(content)
    assert drawn.count('class="finished"') == len(content.in_state(State.FINISHED)) - 1
    assert drawn.count('class="best"') == 1
    assert drawn.count('class="stopped"') == len(content.in_state(State.STOPPED))
    assert drawn.count('class="failed"') == len(content.in_state(State.FAILED))


@pytest.mark.parametrize(("goal", "steps"), [("minimize", [0, 2, 4]), ("maximize", [0, 1])])
def test_the_best_line_steps_where_a_trial_beats_all_before_it(goal: Literal["minimize", "maximize"], steps: list[int]):
    trials = [finished(number, value) for number, value in enumerate([3.0, 5.0, 2.0, 4.0, 1.0])]
    drawn = draw_history(replace(study(trials), objective=Objective("val_accuracy", goal)))
    path = re.search(r'class="best-so-far" d="M([^"]*)"', drawn)
    dots = dict(re.findall(r'cx="([\d.]+)"[^>]*><title>trial (\d+),', drawn))
    assert path is not None
    corners = list(dict.fromkeys(point.split(",")[0] for point in path[1].split()))[:-1]
    assert [int(dots[corner]) for corner in corners] == steps


def test_a_far_outlier_is_drawn_at_the_border_of_the_plot():
    content = function_search()
    [height] = re.findall(r'cy="([\d.]+)"[^>]*><title>trial 5,', draw_history(content))
    assert float(height) == min(float(other) for other in re.findall(r'cy="([\d.]+)"', draw_history(content)))


def test_the_learning_curves_name_the_five_best_trials():
    content = image_search()
    named = re.findall(r">trial (\d+)</text>", draw_curves(content))
    assert {int(number) for number in named} == {trial.number for trial in content.ranked[:5]}


def test_names_of_curves_do_not_overlap():
    trials = [finished(i, 0.9) for i in range(5)]
    curves = {i: [(1, {"val_accuracy": 0.1}), (9, {"val_accuracy": 0.9})] for i in range(5)}
    heights = sorted(float(y) for y in re.findall(r'y="([\d.]+)" class="mark t\d"', draw_curves(study(trials, curves=curves))))
    assert len(heights) == 5
    assert min(after - before for before, after in itertools.pairwise(heights)) > 13.9


def test_curves_show_another_metric_where_the_objective_comes_only_at_the_end():
    curves = {0: [(1, {"val_loss": 2.0}), (2, {"val_loss": 1.0})]}
    content = study([finished(0, 0.9)], curves=curves)
    assert curve_metric(content) == "val_loss"
    assert "val_loss" in draw_curves(content)


def test_curves_of_one_step_are_no_curves():
    assert draw_curves(study([finished(0, 0.9)], curves={0: [(1, {"val_accuracy": 0.9})]})) == ""


def test_a_parameter_with_options_gets_a_column_each_and_a_parameter_that_never_varies_no_plot():
    trials = [finished(i, i / 10, kind="ab"[i % 2], always=3, rate=10.0**-i) for i in range(6)]
    plots = {plot.name: plot.svg for plot in draw_parameters(study(trials))}
    assert set(plots) == {"kind", "rate"}
    assert plots["kind"].count('class="median"') == 2
    assert plots["rate"].count('class="median"') == 0


def test_true_and_one_are_different_options():
    trials = [finished(i, i / 10, flag=[True, 1, "1.5", None][i % 4]) for i in range(8)]
    [plot] = draw_parameters(study(trials))
    assert {"true", "1", "1.5", "none"} <= set(Page(plot.svg).texts)


def test_options_that_begin_alike_are_told_apart_by_their_ends():
    trials = [finished(i, i / 10, cell=["nor_conv_1x1", "nor_conv_3x3", "none", "a", "b"][i % 5]) for i in range(10)]
    [plot] = draw_parameters(study(trials))
    labels = [text for text in Page(plot.svg).texts if "…" in text]
    assert len(set(labels)) == 2
    assert {label[-3:] for label in labels} == {"1x1", "3x3"}
    assert all(len(label) == 5 for label in labels)


def test_rare_options_share_a_column():
    trials = [finished(i, i / 100, option=f"o{i % 20}") for i in range(60)]
    [plot] = draw_parameters(study(trials))
    assert plot.svg.count('class="median"') == 9
    assert "others" in plot.svg


def test_the_parameters_most_trials_have_come_first():
    trials = [finished(i, i / 10, **({"rare": i} if i < 3 else {}), common=i) for i in range(6)]
    assert [plot.name for plot in draw_parameters(study(trials))] == ["common", "rare"]


def test_of_equally_frequent_parameters_those_of_the_whole_network_come_first():
    trials = [finished(i, i / 10, **{"conv1.filters": i, "rate": i}) for i in range(3)]
    assert [plot.name for plot in draw_parameters(study(trials))] == ["rate", "conv1.filters"]


def test_a_confusion_matrix_shows_each_count_and_says_what_it_means():
    evaluation = {"classes": [{"name": "cat"}, {"name": "dog"}], "confusion": [[7, 2], [0, 5]]}
    texts = Page(draw_confusion(evaluation)).texts
    assert {"7", "2", "5", "2 of 9 'cat' taken for 'dog'"} <= set(texts)


def test_a_matrix_that_is_not_square_is_not_drawn():
    assert draw_confusion({"classes": [{"name": "a"}, {"name": "b"}], "confusion": [[1, 2]]}) == ""


def test_mistakes_are_ordered_by_their_number():
    evaluation = {"classes": ["a", "b", "c"], "confusion": [[5, 1, 0], [0, 5, 4], [2, 0, 5]]}
    assert [(m.truth, m.taken_for, m.count) for m in mistakes(evaluation)] == [("b", "c", 4), ("c", "a", 2), ("a", "b", 1)]


def test_a_maximised_and_a_minimised_study_are_mirror_images():
    content = image_search()
    mirrored = [replace(trial, metrics={name: -value for name, value in trial.metrics.items()}) for trial in content.trials]
    other = replace(content, trials=mirrored, objective=Objective("val_accuracy", "minimize"))
    assert other.best is not None
    assert content.best is not None
    assert other.best.number == content.best.number
    assert draw_history(other).count("<circle") == draw_history(content).count("<circle")


@pytest.mark.parametrize("values", [[-1.7e308, 1.7e308], [5e-324, 1.7e308], [1e-300, 1e-299, 1e-298, 1.0, 1e300]])
def test_a_search_may_reach_the_ends_of_what_numbers_there_are(values: list[float]) -> None:
    content = study([finished(i, value, x=0.1 * i) for i, value in enumerate(values * 5)])
    assert draw_history(content)
    assert draw_parameters(content)
