"""The HTML report."""

import math
import random
import re
from dataclasses import replace

import pytest

from tests.report.contents import (
    CLASSES,
    OBJECTIVE,
    SPEC,
    branching_network,
    classification,
    function_search,
    image_search,
)
from tests.report.markup import Page
from tunesmith.report.content import ReportContent
from tunesmith.report.html import render_html
from tunesmith.study import Objective, State, Trial

SECTIONS = ["progress", "curves", "winner", "evaluation", "leaderboard", "parameters", "failures", "exports", "data", "spec"]
EMPTY = ReportContent("Empty", {}, OBJECTIVE)
CONTENTS = {
    "images": image_search(),
    "function": function_search(),
    "empty": EMPTY,
    "one trial": image_search(1),
    "branches": replace(image_search(5), network=branching_network()),
    "only failures": replace(EMPTY, trials=[Trial(i, {"x": i}, State.FAILED, {}, f"ValueError: bad x {i}") for i in range(3)]),
    "only running": replace(EMPTY, trials=[Trial(0, {"x": 1})]),
    "no candidate": replace(EMPTY, trials=[Trial(0, {}, State.FINISHED, {"val_accuracy": 0.5})]),
}


@pytest.fixture(params=CONTENTS)
def content(request: pytest.FixtureRequest) -> ReportContent:
    return CONTENTS[request.param]


def finished(number: int, value: float, **candidate: object) -> Trial:
    return Trial(number, candidate, State.FINISHED, {"val_accuracy": value})  # pyright: ignore[reportArgumentType]


def test_every_report_is_well_formed(content: ReportContent):
    assert Page(render_html(content)).problems == []


def test_a_report_loads_nothing_and_runs_nothing(content: ReportContent):
    text = render_html(content)
    page = Page(text)
    assert "default-src 'none'" in text
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert {name for name, _ in page.attributes} & {"src", "href", "xlink:href", "srcset", "action"} == set()
    assert set(re.findall(r"https?://[^\"'\s<]*", text)) <= {"http://www.w3.org/2000/svg"}
    assert "url(" not in text
    assert "@import" not in text


def test_the_same_content_makes_the_same_bytes(content: ReportContent):
    assert render_html(content) == render_html(replace(content))


def test_no_number_is_written_as_nan_or_infinity(content: ReportContent):
    values = [value for _, value in Page(render_html(content)).attributes]
    assert not [value for value in values if re.search(r"\b(nan|inf)\b", value)]


def test_a_complete_search_has_every_section_in_order():
    assert Page(render_html(image_search())).ids == SECTIONS


def test_a_search_of_a_function_leaves_out_what_it_has_not():
    assert Page(render_html(function_search())).ids == ["progress", "winner", "leaderboard", "parameters", "spec"]


def test_a_search_without_trials_says_so():
    page = Page(render_html(EMPTY))
    assert page.ids == ["empty", "spec"]
    assert "No trials yet" in page.text


def test_a_search_of_failures_says_that_none_finished_and_why():
    page = Page(render_html(CONTENTS["only failures"]))
    assert page.ids == ["empty", "leaderboard", "failures", "spec"]
    assert "No trial has finished yet" in page.text
    assert "ValueError: bad x 0" in page.text


def test_the_tiles_tell_the_headline_figures():
    content = image_search()
    text = Page(render_html(content)).text
    assert content.evaluation is not None
    assert content.best is not None
    assert f"test accuracy {100 * content.evaluation['metrics']['accuracy']:.2f} %" in text
    assert "95 % interval 95.86 to 98.93 %, 360 examples" in text
    assert f"best val_accuracy {content.best.metrics['val_accuracy']:.4g} trial {content.best.number}" in text
    assert "trials 30 7 stopped, 4 failed" in text
    assert "search took 12 min 34 s" in text


def test_a_regression_is_headed_by_its_error():
    evaluation = {"metrics": {"mae": 51.25, "rmse": 70.5, "r2": 0.81}, "intervals": {"mae": [48.0, 55.5]}, "examples": 100}
    content = replace(function_search(), evaluation=evaluation)
    page = Page(render_html(content))
    assert "test mean absolute error 51.25 95 % interval 48 to 55.5, 100 examples" in page.text
    assert "R² 0.81" in page.text
    assert page.problems == []


def test_text_of_the_users_is_escaped_wherever_it_appears():
    attack = '"><script>alert(1)</script>'
    trials = [finished(i, 0.5 + i / 100, **{attack: f"{attack}{i % 2}"}) for i in range(4)]
    trials.append(Trial(4, {attack: attack}, State.FAILED, {}, attack))
    content = ReportContent(
        title=attack,
        spec={"strategy": {"name": attack}, "space": {attack: attack}},
        objective=OBJECTIVE,
        trials=trials,
        curves={0: [(1, {"val_accuracy": 0.1}), (2, {"val_accuracy": 0.5})]},
        network=[{"name": attack, "type": attack, "detail": attack, "output_shape": attack, "inputs": [attack]}],
        evaluation=classification((attack, "other", attack + "2"), random.Random(0)),
        exports=[{"format": attack}],
        dataset={"source": attack, "statistics": {"dropped": {attack: attack}, "warnings": [attack]}},
    )
    text = render_html(content)
    page = Page(text)
    assert "script" not in page.tags
    assert page.problems == []
    assert "alert(1)" in page.text


def test_a_hostile_metric_name_is_escaped_too():
    metric = "<b>&'\""
    trials = [Trial(i, {"x": i}, State.FINISHED, {metric: float(i)}) for i in range(4)]
    curves = {0: [(1, {metric: 1.0}), (2, {metric: 2.0})]}
    page = Page(render_html(ReportContent("T", {}, Objective(metric), trials, curves)))
    assert page.problems == []
    assert page.tags.count("b") == 1  # the winner's parameter


@pytest.mark.parametrize("missing", ["metrics", "intervals", "classes", "confusion", "roc", "size", "latency", "parameters"])
def test_an_evaluation_may_lack_any_key(missing: str):
    evaluation = classification(CLASSES, random.Random(0))
    del evaluation[missing]
    assert "evaluation" in Page(render_html(replace(image_search(3), evaluation=evaluation))).ids


def test_empty_parts_are_left_out():
    content = replace(image_search(3), network=[], evaluation={}, exports=[], dataset={})
    assert not {"evaluation", "exports", "data"} & set(Page(render_html(content)).ids)


def test_values_that_are_no_numbers_are_not_drawn_and_never_win():
    trials = [finished(0, math.nan, x=1), finished(1, math.inf, x=2), finished(2, 0.5, x=3)]
    text = Page(render_html(replace(EMPTY, trials=trials))).text
    assert "The winner: trial 2" in text


def test_the_best_row_is_marked_and_stands_first():
    trials = [finished(0, 0.5, x=1), finished(1, 0.9, x=2), finished(2, 0.7, x=3)]
    rows = re.findall(
        r"<tr( class=\"best\")?><td class=\"n\">(\d+)</td><td class=\"n\">(\d+)</td>",
        render_html(replace(EMPTY, trials=trials)),
    )
    assert rows == [(' class="best"', "1", "1"), ("", "2", "2"), ("", "3", "0")]


def test_failures_that_differ_in_numbers_only_share_a_line_with_count_and_trials():
    trials = [Trial(i, {"x": i}, State.FAILED, {}, f"needs {i + 9}.5 GiB") for i in (1, 2, 3, 7)]
    text = Page(render_html(replace(EMPTY, trials=trials))).text
    assert "failed 4 needs 10.5 GiB 1–3, 7" in text


def test_many_classes_are_told_by_their_most_frequent_mistakes():
    names = tuple(f"class {i}" for i in range(40))
    text = Page(render_html(replace(image_search(3), evaluation=classification(names, random.Random(0))))).text
    assert "Most frequent mistakes" in text
    assert "20 more classes" in text
    assert "confusion matrix" not in text


def test_two_classes_show_their_roc_curve():
    evaluation = classification(("died", "survived"), random.Random(0))
    evaluation["roc"] = [{"false_positive_rate": x, "true_positive_rate": x**0.5, "threshold": 1 - x} for x in (0, 0.5, 1)]
    evaluation["metrics"]["roc_auc"] = 0.812
    assert "area 0.812" in Page(render_html(replace(image_search(3), evaluation=evaluation))).text


def test_the_data_tells_sizes_classes_dropped_columns_and_warnings():
    statistics = {
        "classes": {"train": {"no": 30, "yes": 10}, "test": {"no": 3, "yes": 1}},
        **{"dropped": {"id": "all texts are different"}, "warnings": ["2 examples of test occur in an earlier split too"]},
    }
    dataset = {"source": "people.csv", "sizes": {"train": 40, "test": 4}, "classes": ["no", "yes"], "statistics": statistics}
    text = Page(render_html(replace(EMPTY, dataset=dataset))).text
    assert "train examples 40" in text
    assert "no 30 3" in text
    assert "id all texts are different" in text
    assert "2 examples of test occur in an earlier split too" in text


def test_the_search_file_is_shown_as_yaml():
    assert "strategy: name: tpe seed: 0" in Page(render_html(replace(EMPTY, spec=SPEC))).text


def test_a_report_on_two_thousand_trials_stays_small():
    text = render_html(image_search(2000))
    assert len(text) < 600_000
    assert "1800 further trials" in text


def test_endless_values_and_reasons_are_cut():
    trials = [finished(i, i / 10, **{f"p{j}": "v" * 10_000 for j in range(100)}) for i in range(3)]
    trials += [Trial(3 + i, {}, State.FAILED, {}, chr(97 + i) + "r" * 100_000) for i in range(20)]
    assert len(render_html(replace(EMPTY, trials=trials))) < 200_000
