"""The benchmark of equal minutes: the images that both sides get, and a search that keeps its time."""

import time
from pathlib import Path

import numpy as np
import pytest

from equal_time import Told, draw_images, run_ours
from tunesmith.data.dataset import Dataset


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), [40, 60, 80, 120])
    x = rng.integers(0, 60, (300, 8, 8)).astype(np.uint8) + (40 * y[:, None, None]).astype(np.uint8)
    np.savez(tmp_path / "all.npz", x_train=x, y_train=y, x_test=x[::5], y_test=y[::5])
    return tmp_path / "all.npz"


def test_as_many_images_of_each_class_are_drawn_and_the_test_part_is_whole(file: Path, tmp_path: Path) -> None:
    dataset = Dataset.load(draw_images(file, 100, tmp_path))
    sizes = {split: len(dataset.split(split)[1]) for split in ("train", "validation", "test")}
    assert sizes == {"train": 80, "validation": 20, "test": 60}
    drawn = np.concatenate([dataset.split("train")[1], dataset.split("validation")[1]])
    assert np.bincount(drawn).tolist() == [25, 25, 25, 25]


@pytest.mark.slow
def test_a_search_counts_its_trials_and_epochs_and_trains_its_winner(file: Path, tmp_path: Path) -> None:
    dataset, started = draw_images(file, 100, tmp_path), time.time()
    told = Told("Tunesmith", 0, 0.1, 2, dataset, tmp_path, started)
    found = run_ours(told)
    assert 0 <= found.test <= 1
    assert found.trials >= 1
    assert found.epochs >= found.trials
    assert found.minutes > 0
    assert (tmp_path / "model" / "model.keras").is_file()
