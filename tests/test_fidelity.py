"""How far trials foretell a full training: who is trained again, what is kept, and what is told."""

from pathlib import Path

import numpy as np
import pytest

from tests.report.contents import image_search
from tunesmith.data.arrays import prepare_arrays
from tunesmith.errors import SpecError, StudyError
from tunesmith.fidelity import measure_fidelity, read_fidelity
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
