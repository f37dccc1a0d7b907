"""A prepared data set and a model for each kind of task, shared by all tests."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.model_folders import Made, make_model, write_table

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Whoever starts the tests in a shell's background makes all that they start ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def image_model(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A convolutional classifier of three classes of 6x5 grey images."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    x = rng.integers(0, 200, (150, 6, 5, 1)) + 25 * y[:, None, None, None]
    np.savez(folder / "images.npz", x=x.astype(np.uint8), y=y)
    return make_model(folder, "images.npz")


@pytest.fixture(scope="session")
def table_model(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A classifier of two classes of a table with missing values and column names that TensorFlow does not take."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    rows = [
        {
            "age (years)": "" if i % 7 == 0 else f"{rng.normal(40, 12):.2f}",
            "Größe": f"{rng.normal(1e4, 3):.3f}",
            "self": ["red", "green", "blue", ""][rng.integers(4)],
            "AGE__years_": ["yes", "no"][rng.integers(2)],
            "label": ["bad", "good"][i % 2],
        }
        for i in range(200)
    ]
    return make_model(folder, write_table(folder / "table.csv", rows))


@pytest.fixture(scope="session")
def regression_model(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A regression of a target in the hundred thousands on two numbers."""
    folder = tmp_path_factory.mktemp("regression")
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 2))
    rows = [{"a": f"{a:.4f}", "b": f"{b:.4f}", "target": f"{2e5 + 3e4 * a - 1e4 * b:.1f}"} for a, b in points]
    return make_model(folder, write_table(folder / "houses.csv", rows))


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Made], Made]:
    """Return a function that copies a model and its data set, to be spoilt by a test."""

    def copy(made: Made) -> Made:
        shutil.copytree(made.model, tmp_path / "copy" / "model")
        shutil.copytree(made.dataset, tmp_path / "copy" / "dataset")
        return Made(tmp_path / "copy" / "model", tmp_path / "copy" / "dataset")

    return copy
