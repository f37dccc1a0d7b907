"""The short report in Markdown."""

from dataclasses import replace

from tests.report.contents import OBJECTIVE, image_search
from tunesmith.report.content import ReportContent
from tunesmith.report.markdown import render_markdown
from tunesmith.study import State, Trial


def test_it_tells_figures_leaderboard_and_failures():
    text = render_markdown(image_search())
    assert "| trials | 30 | 7 stopped, 4 failed |" in text
    assert "| 1 | 5 | 0.9911 |" in text
    assert "and 20 more trials" in text
    assert "| failed | 1 | the loss became NaN in epoch 2 | 16 |" in text


def test_text_of_the_users_cannot_break_out_of_its_cell():
    nasty = "a|b\n<script>`*_[x](http://y)"
    trials = [Trial(0, {nasty: nasty}, State.FAILED, {}, nasty)]
    text = render_markdown(ReportContent(nasty, {}, OBJECTIVE, trials))
    assert "<script>" not in text
    assert r"a\|b &lt;script&gt;\`\*\_\[x\](http://y)" in text
    [header] = [line for line in text.splitlines() if line.startswith("| state")]
    [row] = [line for line in text.splitlines() if line.startswith("| failed")]
    assert row.replace(r"\|", "").count("|") == header.count("|")


def test_a_search_without_trials_says_so():
    text = render_markdown(ReportContent("Empty", {}, OBJECTIVE))
    assert "No trials yet." in text
    assert "| best val\\_accuracy | none | no trial has finished |" in text


def test_the_same_content_makes_the_same_text():
    assert render_markdown(image_search()) == render_markdown(replace(image_search()))
