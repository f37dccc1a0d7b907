"""Small prepared data sets and untrained models in the folders that `prepare` and `train` make."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.data.info import DatasetInfo

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Made:
    """A model's folder and the folder of the data set it belongs to."""

    model: Path
    dataset: Path


def load_model(folder: Path) -> Any:
    """Return the Keras model of a model folder."""
    import keras

    return keras.saving.load_model(folder / "model.keras")


def write_table(path: Path, rows: list[dict[str, str]]) -> str:
    """Write a CSV file and return its name."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path.name


def make_model(folder: Path, uri: str) -> Made:
    """Prepare `uri` and put an untrained model, the same each time, into a model folder beside it."""
    from tunesmith.data.prepare import prepare
    from tunesmith.sections import DataSpec

    made = Made(folder / "model", folder / "dataset")
    info = prepare(DataSpec(uri=uri, task="auto"), made.dataset, folder)
    made.model.mkdir()
    for name in ("dataset.json", "encoding.json"):
        if (made.dataset / name).exists():
            shutil.copy(made.dataset / name, made.model)
    build(info).save(made.model / "model.keras")
    return made


def build(info: DatasetInfo) -> "keras.Model":
    """Return a tiny untrained network for the data; a regression answers in the target's units."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    body = [layers.Dense(4, activation="relu")]
    if info.kind == "images":
        body = [layers.Rescaling(1 / 255), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.Flatten()]
    head = [layers.Dense(info.outputs, activation="softmax")]
    if info.task == "regression":
        mean, deviation = info.target_scale
        head = [layers.Dense(1), layers.Rescaling(deviation, offset=mean)]
    return keras.Sequential([keras.Input(info.input_shape), *body, *head])
