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
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError, StudyError, TrialFailed
from tunesmith.fidelity import keep_fidelity, measure_fidelity, read_fidelity
from tunesmith.record import Record
from tunesmith.report._fidelity import describe_fidelity
from tunesmith.report.collect import collect
from tunesmith.report.html import render_html
from tunesmith.search import search
from tunesmith.spec import parse_spec
from tunesmith.study import State, Trial

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


def _recorded(folder: Path, dataset: Path, ended: list[tuple[State, dict[str, float]]], facts: dict[str, float]) -> Path:
    """Write the study of a search whose scheduler stops trials, each of which took ten seconds, and return it."""
    content = {
        "data": {"uri": "arrays"},
        "space": {"kind": "cells_nasbench201", "stages": 1, "cells": 1, "filters": 4},
        "strategy": {"name": "random"},
        "scheduler": {"name": "curve"},
        "objectives": [{"metric": "val_loss", "goal": "minimize"}],
        "evaluation": {"epochs": 4},
        "budget": {"trials": len(ended)},
    }
    spec = parse_spec(content).for_data(DatasetInfo.load(dataset))
    rng = np.random.default_rng(0)
    with Record.start(folder, spec.to_json()) as record:
        for number, (state, metrics) in enumerate(ended):
            trial = record.begin(number, spec.space.sample(rng))
            record.finish(replace(trial, state=state, metrics=metrics, seconds=10.0, facts=facts))
    return folder


def _in_full(loss: dict[int, float], **facts: float):
    """Return what stands in for full trainings of twenty seconds each."""

    def trained(_: object, trial: Trial, __: int) -> Trial:
        return replace(trial, state=State.FINISHED, metrics={"val_loss": loss[trial.number]}, seconds=20.0, facts=facts)

    return trained


LOSSES = [0.2, 0.9, 0.3, 0.8, 0.5]
STATES = [State.FINISHED, State.STOPPED, State.FINISHED, State.STOPPED, State.STOPPED]
ENDED = [(state, {"val_loss": loss}) for state, loss in zip(STATES, LOSSES, strict=True)]


def test_stopped_trials_are_ranked_by_what_they_had_come_to(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = [(State.STOPPED, {}), (State.FAILED, {"val_loss": 0.1})]
    study = _recorded(tmp_path / "study", dataset, [*ENDED, *nothing], {})
    monkeypatch.setattr(fidelity, "_trained", _in_full({0: 0.3, 1: 0.1, 2: 0.2, 3: 0.4, 4: 0.5}))
    lines: list[str] = []
    found = measure_fidelity(study, dataset, 8, 1, lines.append)
    assert found.trials == [0, 2, 4, 3, 1]
    assert found.stopped == [4, 3, 1]
    assert found.correlation == pytest.approx(-0.2)
    assert lines[-1] == "trial 1: val_loss 0.9 when it was stopped, in full 0.1"
    assert measure_fidelity(study, dataset, 3, 1).trials == [0, 4, 1]
    shown = render_html(collect(study))
    assert (
        "3 trials, from the worst to the best, 2 of them stopped early by the search, were trained in full (1 epoch)" in shown
    )
    assert "<title>trial 4, stopped early: 0.5, in full 0.5</title>" in shown


def test_training_time_is_compared_with_training_time(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = _recorded(tmp_path / "study", dataset, ENDED, {"fit_seconds": 2.0})
    monkeypatch.setattr(fidelity, "_trained", _in_full(dict(enumerate(LOSSES)), fit_seconds=8.0))
    found = measure_fidelity(study, dataset, 5, 1)
    assert (found.seconds, found.full_seconds) == (2.0, 8.0)
    assert found.cost == "a trial's training took 25% of a full training's time"
    assert "A trial&#39;s training took 25% of a full training&#39;s time." in render_html(collect(study))


def test_where_a_trial_does_not_know_its_training_time_whole_times_are_compared(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = _recorded(tmp_path / "study", dataset, ENDED, {})
    monkeypatch.setattr(fidelity, "_trained", _in_full(dict(enumerate(LOSSES)), fit_seconds=8.0))
    found = measure_fidelity(study, dataset, 5, 1)
    assert (found.seconds, found.full_seconds) == (10.0, 20.0)
    assert found.cost == "a trial, from its start to its end, took 50% of a full training's time"


def test_what_was_measured_before_trials_told_their_training_time_is_still_shown() -> None:
    old = {"metric": "val_loss", "trials": [0, 1, 2], "compared": [1.0, 2.0, 3.0], "full": [1.0, 3.0, 2.0]}
    told = describe_fidelity(old | {"correlation": 0.5, "epochs": 8, "seconds": 1.0, "full_seconds": 4.0}, {})
    assert told is not None
    assert told["told"].startswith(
        "3 trials, from the worst to the best, were trained in full (8 epochs): the rank correlation"
    )
    assert told["told"].endswith("A trial, from its start to its end, took 25% of a full training's time.")


def test_trials_stopped_at_the_start_cannot_be_ranked(dataset: Path, tmp_path: Path) -> None:
    study = _recorded(tmp_path / "study", dataset, [*ENDED[:2], *[(State.STOPPED, {})] * 3], {})
    with pytest.raises(StudyError, match="study: 2 trials came to a val_loss; 3 are needed"):
        measure_fidelity(study, dataset, 5, None)


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
    assert found.timed == "fit_seconds"
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
    monkeypatch.setattr(fidelity, "_trained", _in_full(dict.fromkeys(range(5), 1.0)))
    assert measure_fidelity(tmp_path / "study", dataset, 3, epochs=1).correlation is None
    assert "cannot be told, all figures are equal" in render_html(collect(tmp_path / "study"))


def test_a_trial_that_cannot_be_trained_in_full_is_left_out(
    study: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(study, tmp_path / "study")
    lines, answers = list[str](), iter([0.5, TrialFailed("loss became NaN"), 0.7, 0.6])

    def trained(_: object, trial: Trial, __: int) -> Trial:
        answer = next(answers)
        if isinstance(answer, TrialFailed):
            raise answer
        return replace(trial, metrics={"val_loss": answer})

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
    with pytest.raises(StudyError, match="only 0 of 3 trials could be trained in full"):
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
        ({"evaluation": {"epochs": 1, "examples": "growing"}}, "on a growing share of the training examples, for 1 epoch at"),
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
    with pytest.raises(StudyError, match="study: 1 trial came to a val_accuracy; 3 are needed"):
        measure_fidelity(tmp_path / "study", dataset, 5, None)


def test_a_report_without_it_says_nothing_of_it() -> None:
    assert "rank correlation" not in render_html(image_search())
