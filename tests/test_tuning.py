"""A study after a study: the winner's training is searched at full size, beginning with the one that it had."""

from pathlib import Path

import numpy as np
import pytest

from tunesmith.data.arrays import prepare_arrays
from tunesmith.errors import Hopeless, SpecError
from tunesmith.record import Record
from tunesmith.search import search
from tunesmith.spec import parse_spec
from tunesmith.train import train
from tunesmith.tuning import tune

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
        "space": {"kind": "cells_nasbench201", "stages": 2, "cells": 2, "filters": 6},
        "strategy": {"name": "random"},
        "objectives": [{"metric": "val_loss", "goal": "minimize"}, {"metric": "parameters", "goal": "minimize"}],
        "evaluation": {"epochs": 1, "size": {"cells": 1, "filters": 4}, "share": 0.5},
        "budget": {"trials": 2},
    }
    folder = tmp_path_factory.mktemp("study") / "study"
    search(parse_spec(content), folder, dataset)
    return folder


def test_a_trial_is_small_and_is_measured_as_the_final_network(study: Path, dataset: Path) -> None:
    with Record.read(study) as record:
        spec, trials = parse_spec(record.content), record.trials()
    from tunesmith.data.info import DatasetInfo

    info = DatasetInfo.load(dataset)
    for trial in trials:
        final = spec.space.estimate(trial.candidate, info).parameters  # type: ignore[attr-defined]
        small = spec.compared.estimate(trial.candidate, info).parameters  # type: ignore[attr-defined]
        assert trial.metrics["parameters"] == final
        assert trial.facts["parameters"] == small < final


def test_a_search_of_cells_that_are_all_too_large_at_their_final_size_ends_with_that_reason(
    dataset: Path, tmp_path: Path
) -> None:
    content = {
        "data": {"uri": "arrays"},
        "space": {"kind": "cells_nasbench201", "stages": 2, "cells": 32, "filters": 2048},
        "strategy": {"name": "random"},
        "evaluation": {"epochs": 1, "size": {"cells": 1, "filters": 2}},
        "resources": {"memory": "150Mi"},
        "budget": {"trials": 30},
    }
    told = r"the first 10 trials all failed.*\n  10 times: at its final size the network needs about .* MiB to train .*150 MiB"
    with pytest.raises(Hopeless, match=told):
        search(parse_spec(content), tmp_path / "study", dataset)
    with Record.read(tmp_path / "study") as record:
        assert [record.curve(trial.number) for trial in record.trials()] == [[]] * 10


def test_the_training_that_the_winner_had_is_tried_first_then_others(study: Path, dataset: Path, tmp_path: Path) -> None:
    found = tune(study, dataset, tmp_path / "tuned", trials=2, epochs=2)
    with Record.read(tmp_path / "tuned") as record:
        first, second = record.trials()
        content = record.content
    assert first.candidate == {"dropout": 0.0, "learning_rate": 2e-3, "batch_size": 64} != second.candidate
    assert content["space"]["cell"]
    assert "size" not in content["evaluation"]
    assert content["objectives"] == [{"metric": "val_loss", "goal": "minimize"}]
    assert found.trials == 2


def test_the_training_of_a_network_that_grew_is_tuned_too(dataset: Path, tmp_path: Path) -> None:
    content = {
        "data": {"uri": "arrays"},
        "space": {"kind": "graphs", "start": {"convs": 1, "filters": 4}, "most_layers": 4, "most_filters": 8},
        "strategy": {"name": "morphism"},
        "evaluation": {"epochs": 1},
        "budget": {"trials": 3},
    }
    before = search(parse_spec(content), tmp_path / "study", dataset)
    found = tune(tmp_path / "study", dataset, tmp_path / "tuned", trials=2, epochs=2)
    with Record.read(tmp_path / "tuned") as record:
        first, second = record.trials()
    assert first.candidate == {"dropout": 0.25, "learning_rate": 1e-3, "batch_size": 64} != second.candidate
    assert first.facts["parameters"] == second.facts["parameters"] == before.best.facts["parameters"]
    assert train(tmp_path / "tuned", dataset, tmp_path / "model", epochs=2).parameters == found.best.facts["parameters"]


def test_no_trials_hand_the_study_on(study: Path, dataset: Path, tmp_path: Path) -> None:
    found = tune(study, dataset, tmp_path / "tuned", trials=0)
    with Record.read(study) as before, Record.read(tmp_path / "tuned") as after:
        assert before.trials() == after.trials()
    assert found.trials == 2


def test_the_winner_is_trained_at_full_size_its_learning_rate_falling_to_nothing(
    study: Path, dataset: Path, tmp_path: Path
) -> None:
    winner = train(study, dataset, tmp_path / "model", epochs=4)
    rates = [epoch["learning_rate"] for epoch in winner.history]
    assert winner.epochs == 4
    assert winner.parameters == winner.metrics["parameters"]
    assert rates == pytest.approx([2e-3, 2e-3 * 0.853553, 1e-3, 2e-3 * 0.146447], rel=1e-3)
    assert (tmp_path / "model" / "architecture.json").is_file()


def test_a_space_without_a_training_of_its_own_is_refused_before_anything_runs() -> None:
    content = {"data": {"uri": "digits"}, "space": {"kind": "layers"}, "final": {"tune": 3}}
    with pytest.raises(SpecError, match=r"final\.tune: space\.kind 'layers' has no training .*: cells_nasbench201"):
        parse_spec(content)


@pytest.mark.parametrize(
    ("kind", "size", "message"),
    [
        (
            "layers",
            {"cells": 1},
            r"evaluation\.size: the networks of space\.kind 'layers' come in one size; allowed with: .*cells",
        ),
        ("cells_nasbench201", {"depth": 1}, r"evaluation\.size\.depth: is no size .*; allowed: stages, cells, filters"),
        ("cells_nasbench201", {"cells": 99}, r"evaluation\.size\.cells: got 99; needs a whole number from 1 to 32"),
        ("cells_nasbench201", {"cells": 0}, r"evaluation\.size\.cells: got 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(kind: str, size: dict[str, int], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_spec({"data": {"uri": "digits"}, "space": {"kind": kind}, "evaluation": {"size": size}})


@pytest.mark.parametrize("asked", [{"share": 0.5}, {"size": {"cells": 1}}])
def test_a_function_decides_itself_how_much_it_does(asked: dict[str, object]) -> None:
    space = {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}}
    with pytest.raises(SpecError, match=r"evaluation\.(share|size): is for the training of a network"):
        parse_spec({"space": space, "evaluation": {"kind": "function", "function": "a.py:f", **asked}})
