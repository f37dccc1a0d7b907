"""Published networks as baselines: built for the data, their training searched."""

from pathlib import Path

import numpy as np
import pytest

from tests.spaces.test_cells_nasbench201 import images
from tunesmith.data.arrays import prepare_arrays
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.search import search
from tunesmith.spaces.applications import Applications
from tunesmith.spec import build_space, parse_spec
from tunesmith.train import train


@pytest.mark.slow
def test_nasnet_is_built_for_the_data_and_takes_raw_pixels() -> None:
    info = images(32, channels=3)
    model = Applications().network({"learning_rate": 1e-3}, info).model
    # NASNetMobile's own 5,326,716 but for its output layer of 1,000 classes, and ours.
    assert model.count_params() == 5_326_716 - 1057 * 1000 + 1057 * info.outputs
    answer = np.asarray(model(np.zeros((1, 32, 32, 3), "float32"), training=False))
    assert answer.sum() == pytest.approx(1, abs=1e-5)


def test_its_training_is_searched_and_its_form_makes_it_again() -> None:
    space = Applications(model="MobileNetV2", batch_size={"choice": [32, 64]})
    assert set(space.sample(np.random.default_rng(0))) == {"learning_rate", "batch_size"}
    assert build_space(space.to_json()) == space


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(SpecError, match=r"space\.model: got 'NASNetMobil'; allowed: NASNetMobile.*did you mean 'NASNetMobile'"):
        build_space({"kind": "applications", "model": "NASNetMobil"})


def test_images_too_small_and_tables_are_refused() -> None:
    with pytest.raises(SpecError, match="model: NASNetMobile needs images of 32x32 pixels at least; the data has 8x8"):
        Applications().fit_to(images(8))
    with pytest.raises(SpecError, match="these networks are for images"):
        Applications().fit_to(DatasetInfo("table", "regression", (5,), (), {}, "", ""))


@pytest.mark.slow
def test_a_published_network_is_searched_trained_and_kept_as_any_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (60, 32, 32, 3)).astype("uint8")
    y = np.arange(60) % 2
    prepare_arrays(x[:40], y[:40], x[40:], y[40:], folder=tmp_path / "dataset")
    content = {
        "data": {"uri": "arrays"},
        "space": {"kind": "applications", "model": "MobileNetV2"},
        "evaluation": {"epochs": 1},
        "budget": {"trials": 1},
    }
    found = search(parse_spec(content), tmp_path / "study", tmp_path / "dataset")
    winner = train(tmp_path / "study", tmp_path / "dataset", tmp_path / "model")
    assert winner.parameters == found.best.facts["parameters"] > 2_000_000
    assert (tmp_path / "model" / "architecture.json").is_file()
