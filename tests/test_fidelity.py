"""How far trials foretell a full training: who is trained again, what is kept, and what is told."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.report.contents import image_search
from tunesmith import fidelity
from tunesmith.data.arrays import prepare_arrays
from tunesmith.errors import SpecError, StudyError, TrialFailed
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
    assert found.correlation is not None
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


def test_figures_that_are_all_equal_have_no_rank_correlation(
    study: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(study, tmp_path / "study")
    monkeypatch.setattr(fidelity, "_trained", lambda *_: {"val_loss": 1.0})
    assert measure_fidelity(tmp_path / "study", dataset, 3, epochs=1).correlation is None
    assert "cannot be told, all figures are equal" in render_html(collect(tmp_path / "study"))


def test_a_trial_that_cannot_be_trained_in_full_is_left_out(
    study: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(study, tmp_path / "study")
    lines, answers = list[str](), iter([0.5, TrialFailed("loss became NaN"), 0.7, 0.6])

    def trained(*_: object) -> dict[str, float]:
        answer = next(answers)
        if isinstance(answer, TrialFailed):
            raise answer
        return {"val_loss": answer}

    monkeypatch.setattr(fidelity, "_trained", trained)
    assert measure_fidelity(tmp_path / "study", dataset, 4, 1, lines.append).full == [0.5, 0.7, 0.6]
    assert "left out: loss became NaN" in lines[1]
    _ask(tmp_path / "study", 3)
    monkeypatch.setattr(fidelity, "_trained", lambda *_: (_ for _ in ()).throw(TrialFailed("loss became NaN")))
    keep_fidelity(tmp_path / "study", dataset, lines.append)
    assert "fidelity is not measured: " in lines[-1]


def test_a_trial_that_is_beyond_the_memory_in_full_is_not_trained(study: Path, dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "study")
    file, lines = tmp_path / "study" / "spec.yaml", list[str]()
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "resources": {"memory": "10Ki"}}))
    with pytest.raises(StudyError, match="only 0 trials could be trained in full"):
        measure_fidelity(tmp_path / "study", dataset, 3, 1, lines.append)
    assert all("left out: needs about " in line for line in lines)
    assert len(lines) == 3


def test_of_several_objectives_it_is_the_one_that_a_training_reports(dataset: Path, tmp_path: Path) -> None:
    content = {
        "data": {"uri": "arrays"},
        "space": {"kind": "cells_nasbench201", "stages": 1, "cells": 1, "filters": 4},
        "strategy": {"name": "random"},
        "objectives": [{"metric": "parameters", "goal": "minimize"}, {"metric": "val_loss", "goal": "minimize"}],
        "evaluation": {"epochs": 1},
        "budget": {"trials": 3},
    }
    search(parse_spec(content), tmp_path / "study", dataset)
    assert measure_fidelity(tmp_path / "study", dataset, 3, 1).metric == "val_loss"


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


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"evaluation": {"epochs": 4, "examples": "growing"}}, "on a growing share of the training examples, for 4 epochs"),
        (
            {"evaluation": {"epochs": 4, "share": 0.5, "by": "clusters"}},
            "those nearest to the centres of clusters, for 4",
        ),
        ({"scheduler": {"name": "curve"}, "evaluation": {"epochs": 4}}, "the poor ones ended early by &#39;curve&#39;."),
        ({"evaluation": {"epochs": 4}, "final": {"epochs": 8}}, "at full size, on 100% of the training examples, for 4 epochs"),
    ],
)
def test_a_report_says_in_which_way_trials_were_cheaper(asked: dict[str, Any], told: str) -> None:
    content = image_search()
    spec = {name: value for name, value in content.spec.items() if name not in ("evaluation", "final", "scheduler")}
    assert told in render_html(replace(content, spec=spec | asked))


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
