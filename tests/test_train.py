"""The winner's model: trained anew on all but the test split, or passed through, with all that describes it."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.sets import CLASSIFIER, REGRESSOR, make_context, write_images, write_regression
from tunesmith.data.dataset import Dataset
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError, StudyError
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.record import Record
from tunesmith.search import make_evaluator, spec_aims
from tunesmith.sections import EvaluationSpec, ResourcesSpec
from tunesmith.spaces._space import Space
from tunesmith.spaces.code import Code
from tunesmith.spec import Spec, parse_spec
from tunesmith.study import State, Trial, trial_seed
from tunesmith.train import fit_winner, train

CANDIDATE = {"learning_rate": 0.01}
Searched = tuple[Spec, Trial, Path, Path]


def searched(folder: Path, write: Callable[[Path], Path], space: Space, epochs: int) -> Searched:
    """Return a spec, its one finished trial, the data set and the trial's model."""
    dataset = write(folder / "dataset")
    content = {
        "data": {"uri": "arrays"},
        "space": space.to_json(),
        "evaluation": {"epochs": epochs},
        "strategy": {"name": "random"},
    }
    spec = parse_spec(content).for_data(DatasetInfo.load(dataset))
    context = replace(make_context(folder)[0], number=4, seed=trial_seed(spec.seed, 4))
    metrics = make_evaluator(spec, dataset).evaluate(CANDIDATE, context)
    trial = Trial(4, CANDIDATE, State.FINISHED, metrics, facts=dict(context.facts))
    return spec, trial, dataset, folder / "model.keras"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    return searched(tmp_path_factory.mktemp("pictures"), write_images, CLASSIFIER, 6)


def fit(made: Searched, folder: Path, refit: bool = True, log: Callable = lambda *_: None) -> dict:
    spec, trial, dataset, kept = made
    fit_winner(spec, trial, dataset, folder, kept, refit, log)
    return json.loads((folder / "model.json").read_text())


def answers(model_file: Path, dataset: Path) -> tuple[np.ndarray, np.ndarray]:
    import keras

    x, y = Dataset.load(dataset).split("validation")
    return np.asarray(keras.saving.load_model(model_file, compile=False)(x)), y  # type: ignore[operator]


def test_a_refit_trains_as_many_epochs_as_were_best(tmp_path: Path, pictures: Searched):
    _, trial, dataset, _ = pictures
    epochs = []
    described = fit(pictures, tmp_path / "model", log=lambda epoch, metrics: epochs.append((epoch, set(metrics))))
    assert described["epochs"] == trial.facts["best_epoch"] == len(described["history"])
    assert epochs == [(epoch, {"loss", "accuracy"}) for epoch in range(1, described["epochs"] + 1)]
    probabilities, y = answers(tmp_path / "model" / "model.keras", dataset)
    assert (probabilities.argmax(axis=1) == y).mean() > 0.8


def test_a_refit_learns_from_the_validation_split_too(tmp_path: Path, pictures: Searched, monkeypatch: pytest.MonkeyPatch):
    from tunesmith.evaluation._feed import Examples

    seen = []
    batches = Examples.batches
    monkeypatch.setattr(Examples, "batches", lambda self, *rest: seen.append(len(self)) or batches(self, *rest))
    fit(pictures, tmp_path / "model")
    assert seen == [100 + 50]


def test_without_a_refit_the_trials_own_model_is_passed_on(tmp_path: Path, pictures: Searched):
    described = fit(pictures, tmp_path / "model", refit=False)
    assert (tmp_path / "model" / "model.keras").read_bytes() == pictures[3].read_bytes()
    assert (described["refit"], described["history"]) == (False, [])


@pytest.mark.parametrize("refit", [True, False])
def test_the_folder_says_where_the_model_comes_from(tmp_path: Path, pictures: Searched, refit: bool):
    _, trial, dataset, _ = pictures
    described = fit(pictures, tmp_path / "model", refit)
    assert (described["trial"], described["candidate"], described["metrics"]) == (4, CANDIDATE, trial.metrics)
    assert (described["input_shape"], described["dtype"]) == ([6, 5, 1], "float32")
    assert described["parameters"] == trial.facts["parameters"]
    network = json.loads((tmp_path / "model" / "network.json").read_text())
    assert [layer["name"] for layer in network][-1] == "output"
    assert sum(layer["parameters"] for layer in network) == described["parameters"]
    assert (tmp_path / "model" / "dataset.json").read_bytes() == (dataset / "dataset.json").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "nothing half-made lies about"


@pytest.mark.parametrize("refit", [True, False])
def test_a_regression_answers_in_the_targets_units(tmp_path: Path, refit: bool):
    made = searched(tmp_path, write_regression, REGRESSOR, 30)
    described = fit(made, tmp_path / "model", refit)
    predicted, y = answers(tmp_path / "model" / "model.keras", made[2])
    assert predicted.shape == (len(y), 1)
    assert np.abs(predicted[:, 0] - y).mean() < 0.5 * y.std()
    assert all(epoch["mae"] > 500 for epoch in described["history"])
    assert (tmp_path / "model" / "encoding.json").exists()


def test_a_model_that_is_not_kept_cannot_be_passed_on(tmp_path: Path, pictures: Searched):
    spec, trial, dataset, _ = pictures
    with pytest.raises(StudyError, match=r"trial 4: its model is not kept; train it anew"):
        fit_winner(spec, trial, dataset, tmp_path / "model", tmp_path / "none.keras", False, lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def test_the_best_trial_of_a_study_is_trained(tmp_path: Path, pictures: Searched):
    spec, trial, dataset, _ = pictures
    with Record.start(tmp_path / "study", spec.to_json()) as record:
        for number, accuracy in enumerate((0.2, 0.9, 0.5)):
            record.begin(number, CANDIDATE)
            metrics = trial.metrics | {spec_aims(spec).objectives[0].metric: accuracy}
            record.finish(Trial(number, CANDIDATE, State.FINISHED, metrics, facts={"best_epoch": 1.0}))
    winner = train(tmp_path / "study", dataset, tmp_path / "model")
    assert (winner.trial, winner.epochs) == (1, 1)
    assert (tmp_path / "model" / "model.keras").exists()


@pytest.mark.parametrize(("final", "epochs"), [({}, 1 + 2 + 4), ({"epochs": 3}, 3)])
def test_a_winner_that_went_on_with_others_weights_is_trained_for_their_epochs_too(
    tmp_path: Path, pictures: Searched, final: dict[str, int], epochs: int
):
    spec, trial, dataset, _ = pictures
    with Record.start(tmp_path / "study", spec.to_json() | {"final": final}) as record:
        # Trial 1 began anew, although it has a parent; 3 is the winner, and goes back to it by way of 2.
        for number, parent in enumerate((None, 0, 1, 2)):
            record.begin(number, CANDIDATE, parent=parent)
            metrics = trial.metrics | {spec_aims(spec).objectives[0].metric: number / 10}
            facts = {"best_epoch": (8.0, 4.0, 2.0, 1.0)[number], "inherited": float(number > 1)}
            record.finish(Trial(number, CANDIDATE, State.FINISHED, metrics, facts=facts, parent=parent))
    assert train(tmp_path / "study", dataset, tmp_path / "model").epochs == epochs


def test_a_trial_of_a_small_network_is_not_passed_on_as_the_final_one(tmp_path: Path, pictures: Searched):
    spec, trial, dataset, kept = pictures
    small = replace(spec, file=spec.file.model_copy(update={"evaluation": EvaluationSpec(size={"cells": 1})}))
    with pytest.raises(SpecError, match=r"evaluation\.size: trials are smaller than the final network"):
        fit_winner(small, trial, dataset, tmp_path / "model", kept, False, lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def test_a_winner_that_cannot_be_trained_again_says_so(tmp_path: Path, pictures: Searched):
    def build(choose):
        import keras

        layers = [keras.layers.Rescaling(math.inf), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
        return keras.Sequential(layers)

    spec, trial, dataset, kept = pictures
    made = replace(spec, space=Code(build)), replace(trial, candidate={}), dataset, kept
    with pytest.raises(StudyError, match="trial 4 could not be trained again: loss became NaN in epoch 1; pass its own"):
        fit(made, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("space", [CLASSIFIER, replace(CLASSIFIER, units=30000)])
def test_a_winner_beyond_the_memory_is_not_trained(tmp_path: Path, pictures: Searched, space: Space):
    spec, trial, dataset, kept = pictures
    tight = spec.file.model_copy(update={"resources": ResourcesSpec(memory=1000)})
    log = lambda *_: pytest.fail("an epoch was trained")  # noqa: E731
    told = r"trial 4 cannot be trained: at its final size .* about [1-9]\d* MiB to train .*, and there are 0 MiB"
    with pytest.raises(StudyError, match=told):
        fit((replace(spec, file=tight, space=space), trial, dataset, kept), tmp_path / "model", log=log)
    assert list(tmp_path.iterdir()) == []


def test_the_evaluator_of_a_spec_is_the_training_one(pictures: Searched):
    assert isinstance(make_evaluator(pictures[0], pictures[2]), TrainingEvaluator)
