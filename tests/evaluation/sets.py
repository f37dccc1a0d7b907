"""Small data sets and a context that writes down what is reported."""

from pathlib import Path

import numpy as np

from tunesmith.data.arrays import prepare_arrays
from tunesmith.errors import TrialStopped
from tunesmith.evaluation._context import Context
from tunesmith.spaces.layers import Layers
from tunesmith.study import Objective

ACCURACY = Objective("val_accuracy", "maximize")
LOSS = Objective("val_loss", "minimize")
CLASSIFIER = Layers(
    convs=1,
    dense=1,
    filters=4,
    units=8,
    dropout=0,
    activation="relu",
    batch_normalization=False,
    optimizer="adam",
    learning_rate={"loguniform": [1e-4, 0.1]},
    batch_size=16,
)
REGRESSOR = Layers(
    convs=0,
    dense=1,
    units=16,
    dropout=0,
    activation="tanh",
    batch_normalization=False,
    optimizer="adam",
    learning_rate={"loguniform": [1e-4, 0.1]},
    batch_size=16,
)


def write_images(folder: Path) -> Path:
    """Three classes of 6x5 grey images, told apart by their brightness."""
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    x = (rng.integers(0, 100, (150, 6, 5)) + 50 * y[:, None, None]).astype(np.uint8)
    prepare_arrays(x[:100], y[:100], x[100:], y[100:], folder=folder)
    return folder


def write_regression(folder: Path) -> Path:
    """A target in the hundred thousands, linear in two numbers."""
    x = np.random.default_rng(0).normal(size=(160, 2))
    y = 2e5 + 3e4 * x[:, 0] - 1e4 * x[:, 1]
    prepare_arrays(x[:120], y[:120], x[120:], y[120:], folder=folder)
    return folder


def make_context(folder: Path, stop_at: int | None = None, memory_limit: int | None = None) -> tuple[Context, list]:
    """Return a context, and the list that takes (step, metrics) of its reports; it stops the trial at step `stop_at`."""
    reports = []

    def report(step: int, metrics: dict[str, float]) -> None:
        reports.append((step, metrics))
        if step == stop_at:
            raise TrialStopped(f"stopped at {step}")

    return Context(0, 7, folder, report, memory_limit), reports
