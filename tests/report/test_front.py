"""The section on several objectives: the front, its knee, the hypervolume."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.report.contents import image_search, trade_off_search
from tunesmith.aims import Constraint, Objective
from tunesmith.ranking import pareto_front
from tunesmith.report._front import LABEL, LEFT, RIGHT, describe_front
from tunesmith.report._tables import leaderboard
from tunesmith.report._tiles import subtitle, tiles
from tunesmith.report.html import render_html
from tunesmith.report.markdown import render_markdown
from tunesmith.study import State, Trial


def test_one_objective_has_no_such_section() -> None:
    assert describe_front(image_search()) is None
    assert 'id="front"' not in render_html(image_search())


def test_the_front_and_its_knee_are_marked() -> None:
    content = trade_off_search()
    front = describe_front(content)
    assert front is not None
    members = pareto_front(content.trials, content.aims)
    assert front.knee == members[0].number
    assert f"knee: trial {front.knee}" in front.plots[0]
    assert front.plots[0].count(", on the front: val_accuracy") == len(members)
    assert front.plots[0].count("beyond a constraint") > 0
    assert 'class="chance"' in front.plots[0], "the bound is drawn"


@pytest.mark.parametrize(("goal", "sizes"), [("minimize", (1, 100, 0)), ("maximize", (99, 0, 100))])
def test_the_knee_is_named_inside_the_plot(goal: Any, sizes: tuple[int, ...]) -> None:
    trials = [
        Trial(number, {}, State.FINISHED, {"val_accuracy": accuracy, "size": size})
        for number, (accuracy, size) in enumerate(zip((0.99, 1.0, 0.5), sizes, strict=True))
    ]
    front = describe_front(replace(trade_off_search(constraints=()), trials=trials, others=(Objective("size", goal),)))
    assert front is not None
    [(x, anchor)] = re.findall(r'<text x="([\d.]+)" y="[\d.]+" class="mark"([^>]*)>knee: trial 0', front.plots[0])
    assert float(x) - (LABEL if "end" in anchor else 0) >= LEFT
    assert float(x) + (0 if "end" in anchor else LABEL) <= RIGHT + 20


def test_the_edge_goes_through_every_trial_of_the_front() -> None:
    content = trade_off_search()
    front = describe_front(content)
    assert front is not None
    found = re.search(r'class="best-so-far" d="M([^"]*)"', front.plots[0])
    assert found
    assert len(found[1].split()) == 2 * len(content.front) - 1


def test_the_hypervolume_never_falls() -> None:
    front = describe_front(trade_off_search())
    assert front is not None
    found = re.search(r'class="best-so-far" d="M([^"]*)"', front.volume)
    assert found
    heights = [float(point.split(",")[1]) for point in found[1].split()]
    assert heights == sorted(heights, reverse=True), "pixels are counted from the top"
    assert front.reference.startswith("val_accuracy ")


def test_the_leaderboard_has_every_metric_that_is_asked_for_and_marks_the_front() -> None:
    content = trade_off_search()
    board = leaderboard(content)
    assert board.metrics == ["latency_ms"]
    assert [row.rank for row in board.shown[:3]] == ["1 *", "2 *", "3 *"]
    page = render_html(content)
    assert "* is on the Pareto front" in page
    assert "Trials that keep the constraints come first." in page


def test_headline_and_subtitle_tell_all_objectives() -> None:
    content = trade_off_search()
    assert subtitle(content).startswith("goal: maximize val_accuracy, minimize latency_ms, latency_ms <= 9 ")
    best = tiles(content)[0]
    assert best.name == "val_accuracy at the knee"
    assert best.note.startswith(f"trial {content.front[0].number}, latency_ms ")


def test_a_search_of_which_nothing_keeps_the_constraints_says_so() -> None:
    content = trade_off_search(constraints=(Constraint("latency_ms", "<=", 0),))
    assert describe_front(content) is None
    assert tiles(content)[0].note == "no trial has finished within the constraints"
    assert "No trial has finished within the constraints yet" in render_html(content)


def test_the_best_so_far_is_of_trials_that_keep_the_constraints() -> None:
    content = replace(trade_off_search(), others=(), constraints=(Constraint("latency_ms", "<=", 3),))
    assert content.best is not None
    assert content.best.metrics["latency_ms"] <= 3
    assert "Trials that keep the constraints come first." in render_html(content)


def test_markdown_names_the_front() -> None:
    text = render_markdown(trade_off_search())
    assert "on the Pareto front: trials " in text
    assert "| rank | trial | val\\_accuracy | latency\\_ms |" in text


def test_three_objectives_four_and_flat_ones_are_drawn_too() -> None:
    content = trade_off_search()
    three = replace(content, others=(*content.others, Objective("val_loss")))
    four = replace(three, others=(*three.others, Objective("width")))
    trials = [replace(t, metrics=t.metrics | {"width": 1.0}) if t.state is State.FINISHED else t for t in content.trials]
    for case in (three, replace(four, trials=trials), replace(content, trials=content.trials[:1])):
        front = describe_front(case)
        assert front is not None
        for objective, plot in zip(case.aims.objectives[1:], front.plots, strict=True):
            assert f"against {objective.metric}" in plot
        assert bool(front.volume) == (len(case.aims.objectives) <= 3)


def test_objectives_may_reach_the_ends_of_what_numbers_there_are() -> None:
    content = trade_off_search()
    huge = 1.7e308
    trials = [
        replace(t, metrics={m: max(-huge, min(huge * (v - 0.9), huge)) for m, v in t.metrics.items()}) for t in content.trials
    ]
    front = describe_front(replace(content, trials=[t for t in trials if t.metrics], constraints=()))
    assert front is not None
    assert "nan" not in "".join(front.plots) + front.volume


def test_a_front_is_not_squeezed_into_a_line_by_what_lies_far_behind_it() -> None:
    content = trade_off_search()
    slow = {t.number for t in content.trials[::2]} - {t.number for t in content.front}
    trials = [
        replace(t, metrics=t.metrics | {"latency_ms": 300.0}) if t.number in slow and t.metrics else t for t in content.trials
    ]
    front = describe_front(replace(content, trials=trials, constraints=()))
    assert front is not None
    across = [float(x) for x in re.findall(r'<circle cx="([^"]*)"[^>]*><title>trial \d+, on the front', front.plots[0])]
    assert max(across) - min(across) > 400
