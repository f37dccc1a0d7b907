"""How far trials foretell a full training: who is trained again, what is kept, and what is told."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.report.contents import image_search
from tunesmith.data.arrays import prepare_arrays
from tunesmith.errors import SpecError, StudyError
from tunesmith.fidelity import keep_fidelity, measure_fidelity, read_fidelity
from tunesmith.report.collect import collect
from tunesmith.report.html import render_html
from tunesmith.search import search
from tunesmith.spec import parse_spec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("data") / "dataset"
    x = rng.integers(0, 255, (80, 8, 8, 1)).astype("uint8")
    y = (x.mean(axis=(1, 2, 3)) > 127).astype(int)
    prepare_arrays(x[:50], y[:50], x[50:], y[50:], folder=folder)
    return folder


@pytest.fixture(scope="module")
def study(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = {
        "data": {"uri": "arrays"},
        "space": {"kind": "cells_nasbench201", "stages": 1, "cells": 1, "filters": 4},
        "strategy": {"name": "random"},
        "objectives": [{"metric": "val_loss", "goal": "minimize"}],
        "evaluation": {"epochs": 1, "size": {"filters": 2}, "share": 0.5},
        "budget": {"trials": 5},
    }
    folder = tmp_path_factory.mktemp("study") / "study"
    search(parse_spec(content), folder, dataset)
    return folder


def _ask(study: Path, trials: int) -> None:
    """Ask for trials in full in the study's search file, of 2 epochs."""
    file = study / "spec.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "final": {"fidelity": trials, "epochs": 2}}))


def test_the_best_and_the_worst_are_among_those_trained_in_full(study: Path, dataset: Path) -> None:
    lines: list[str] = []
    found = measure_fidelity(study, dataset, 3, epochs=2, log=lines.append)
    assert found == read_fidelity(study)
    assert len(found.trials) == len(found.full) == len(lines) == 3
    assert found.compared == sorted(found.compared)
    assert -1 <= found.correlation <= 1
    assert found.epochs == 2
    assert found.full_seconds > 0
    assert "rank correlation" in render_html(collect(study))


def test_what_a_search_file_asks_for_is_measured_once(study: Path, dataset: Path, tmp_path: Path) -> None:
    copy, lines = tmp_path / "study", list[str]()
    shutil.copytree(study, copy)
    (copy / "fidelity.json").unlink(missing_ok=True)
    keep_fidelity(copy, dataset, lines.append)
    assert lines == []
    _ask(copy, 3)
    keep_fidelity(copy, dataset, lines.append)
    assert len(lines) == 3
    keep_fidelity(copy, dataset, lines.append)
    assert len(lines) == 3, "it was there from before"
    _ask(copy, 4)
    keep_fidelity(copy, dataset, lines.append)
    assert len(lines) == 7


def test_two_trials_cannot_tell_a_rank_correlation() -> None:
    with pytest.raises(SpecError, match=r"final\.fidelity: got 2; a rank correlation needs 3 trials"):
        parse_spec({"data": {"uri": "digits"}, "space": {"kind": "layers"}, "final": {"fidelity": 2}})


def test_a_report_says_that_a_cheap_comparison_was_not_measured() -> None:
    content = image_search()
    cheap = {**content.spec, "evaluation": {"epochs": 4, "size": {"cells": 1}, "share": 0.25}}
    shown = render_html(replace(content, spec=cheap))
    assert "as networks of cells 1, on 25% of the training examples, for 4 epochs at most" in shown
    assert "was not measured" in shown
    assert "was not measured" not in render_html(content)


def test_too_few_trials_are_refused(study: Path, dataset: Path) -> None:
    with pytest.raises(SpecError, match="trials: got 2; a rank correlation needs 3 at least"):
        measure_fidelity(study, dataset, 2, None)


def test_a_study_without_enough_finished_trials_is_refused(dataset: Path, tmp_path: Path) -> None:
    content = {
        "data": {"uri": "arrays"},
        "space": {"kind": "cells_nasbench201", "stages": 1, "cells": 1, "filters": 2},
        "strategy": {"name": "random"},
        "evaluation": {"epochs": 1},
        "budget": {"trials": 1},
    }
    search(parse_spec(content), tmp_path / "study", dataset)
    with pytest.raises(StudyError, match="only 1 trials finished with val_accuracy; 3 are needed"):
        measure_fidelity(tmp_path / "study", dataset, 5, None)


def test_a_report_without_it_says_nothing_of_it() -> None:
    assert "rank correlation" not in render_html(image_search())
