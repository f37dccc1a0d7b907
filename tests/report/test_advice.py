"""The section on what to do next."""

from dataclasses import replace
from pathlib import Path

from tests.advice.studies import NESTED, content, nested_loss, random_trials, record
from tests.report.contents import image_search
from tests.report.markup import Page
from tunesmith.report.collect import collect
from tunesmith.report.html import render_html
from tunesmith.report.markdown import render_markdown

SHARE = {"share": 0.8, "chance": 0.1, "parameters": {"rate": 0.8}}
FORECAST = {"trials": 10.0, "chance": 0.42, "worthwhile": 0.4, "gain": 0.01234, "low": 0.0, "high": 0.03}
ADVICE = {
    "objectives": [{"metric": "val_accuracy", "goal": "maximize"}],
    "importance": {
        "rate": {"overall": SHARE, "better": {**SHARE, "share": 0.3}, "real": True},
        "idle": {"overall": {**SHARE, "share": 0.02}, "better": None, "real": False},
    },
    "moves": [
        {
            "key": "rate",
            "action": "narrow",
            "before": {"loguniform": [1e-5, 1]},
            "after": {"loguniform": [1e-3, 0.1]},
            "reason": "so",
        },
        {"key": "kind", "action": "fix", "before": {"choice": ["a", "b"]}, "after": {"choice": ["a"]}, "reason": "a is best"},
        {"key": "idle", "action": "keep", "before": {"uniform": [0, 1]}, "after": {"uniform": [0, 1]}, "reason": ""},
    ],
    "more_trials": {
        "verdict": "likely",
        "next_trial": {**FORECAST, "trials": 1},
        "forecasts": [FORECAST],
        "rates": [{"unit": "gpu_hour", "seconds_per_trial": 360.0, "forecast": FORECAST, "cut": False}],
    },
    "notes": [],
}


def test_importance_is_drawn_as_bars_with_their_figures() -> None:
    page = Page(render_html(replace(image_search(), advice=ADVICE)))
    assert "advice" in page.ids
    assert page.problems == []
    assert "rate 80 % · 30 %" in page.text
    assert "idle 2 %" in page.text


def test_advice_and_gains_are_tables() -> None:
    text = Page(render_html(replace(image_search(), advice=ADVICE))).text
    assert "rate narrow loguniform 1e-5 to 1 loguniform 0.001 to 0.1 so" in text
    assert "kind fix a, b a a is best" in text
    assert "Kept as they are: idle." in text
    assert "More trials are likely to pay." in text
    assert "10 trials 42 % 0.012 0 to 0.03" in text
    assert "GPU-hour (6 min 0 s a trial) 42 %" in text


def test_what_cannot_be_told_is_said_in_place_of_it() -> None:
    nothing = {"importance": {}, "moves": [], "more_trials": None, "notes": ["20 trials are needed, 3 have ended"]}
    page = Page(render_html(replace(image_search(3), advice=nothing)))
    assert "What next 20 trials are needed, 3 have ended." in page.text
    assert "For the next search" not in page.text


def test_without_advice_there_is_no_section() -> None:
    assert "advice" not in Page(render_html(image_search())).ids


def test_names_and_reasons_of_the_users_are_escaped() -> None:
    attack = '"><script>alert(1)</script>'
    moves = [{**ADVICE["moves"][1], "key": attack, "reason": attack, "after": {"choice": [attack]}}]
    hostile = {**ADVICE, "importance": {attack: ADVICE["importance"]["rate"]}, "moves": moves, "notes": [attack]}
    page = Page(render_html(replace(image_search(), advice=hostile)))
    assert "script" not in page.tags
    assert page.problems == []
    assert "<script>" not in render_markdown(replace(image_search(), advice=hostile))


def test_the_short_report_tells_it_too() -> None:
    text = render_markdown(replace(image_search(), advice=ADVICE))
    assert "## What next" in text
    assert f"| rate | 80 % | {'█' * 16} |" in text
    assert "| rate | narrow | loguniform 1e-5 to 1 | loguniform 0.001 to 0.1 | so |" in text
    assert "| 10 trials | 42 % | 0.012 | 0 to 0.03 |" in text


def test_a_recorded_study_brings_its_advice(tmp_path: Path) -> None:
    study = record(tmp_path / "study", content(NESTED), random_trials(NESTED, nested_loss, 40))
    text = Page(render_html(collect(study))).text
    assert "What next" in text
    assert "rate narrow loguniform 1e-5 to 1" in text
