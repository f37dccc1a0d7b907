"""A trial that goes on with its parent's weights, and one whose parent's are gone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.sets import ACCURACY, make_context
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.spaces.graphs import Graphs

SPACE = Graphs(start={"convs": 1, "filters": 8}, dropout=0, learning_rate=0.01)


@pytest.fixture
def parent(tmp_path: Path, pictures: Path) -> Path:
    """The folder of a trial that was trained for a few epochs."""
    folder = tmp_path / "0"
    folder.mkdir()
    context, _ = make_context(folder)
    TrainingEvaluator(SPACE, pictures, ACCURACY, 8).evaluate(SPACE.origin(), context)
    (folder / "candidate.json").write_text(json.dumps(SPACE.origin()))
    return folder


def losses(folder: Path, pictures: Path, candidate, parent: Path | None) -> tuple[list[float], dict[str, float]]:
    """The training losses by epoch, and the facts, of a trial with a parent."""
    folder.mkdir()
    context, reports = make_context(folder)
    context = replace(context, parent=parent)
    TrainingEvaluator(SPACE, pictures, ACCURACY, 2).evaluate(candidate, context)
    return [metrics["loss"] for _, metrics in reports], context.facts


def edited():
    morph = SPACE.morphs(SPACE.origin(), np.random.default_rng(1))
    assert morph
    return morph[0]


def test_a_child_goes_on_where_its_parent_ended(tmp_path: Path, pictures: Path, parent: Path) -> None:
    heir, facts = losses(tmp_path / "1", pictures, edited(), parent)
    anew, _ = losses(tmp_path / "2", pictures, edited(), None)
    assert facts["inherited"] == 1
    assert heir[0] < 0.8 * anew[0]


def test_a_child_whose_parent_s_weights_are_gone_begins_anew_and_says_so(tmp_path: Path, pictures: Path, parent: Path) -> None:
    (parent / "model.keras").unlink()
    _, facts = losses(tmp_path / "1", pictures, edited(), parent)
    assert facts["inherited"] == 0


def test_a_candidate_that_was_not_edited_from_its_parent_begins_anew(tmp_path: Path, pictures: Path, parent: Path) -> None:
    (parent / "candidate.json").write_text(json.dumps(edited()))
    _, facts = losses(tmp_path / "1", pictures, SPACE.origin(), parent)
    assert facts["inherited"] == 0
