"""A SavedModel of a table takes its raw rows and needs nothing of Tunesmith to answer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.model_folders import Made
from tunesmith.export import export
from tunesmith.model_folder import ModelFolder

ALONE = """
import json, sys
import tensorflow as tf
rows = json.load(sys.stdin)
loaded = tf.saved_model.load(sys.argv[1])
answers = loaded.signatures["serving_default"](**{name: tf.constant(values) for name, values in rows.items()})
assert not any(name.split(".")[0] == "tunesmith" for name in sys.modules)
print(json.dumps({name: values.numpy().tolist() for name, values in answers.items()}))
"""


@pytest.fixture(scope="session")
def saved(table_model: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported table model."""
    folder = tmp_path_factory.mktemp("saved") / "exports"
    export(table_model.model, folder, ["saved_model"])
    return folder / "saved_model"


def by_column(saved: Path) -> dict[str, str]:
    """Return the inputs' names by column."""
    return {tensor["column"]: tensor["name"] for tensor in json.loads((saved / "signature.json").read_text())["inputs"]}


def answer_of(saved: Path, columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return the reloaded signature's probabilities for raw rows."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(saved))
    rows = {name: tf.constant(columns[column]) for column, name in by_column(saved).items()}
    return loaded.signatures["serving_default"](**rows)["probabilities"].numpy()


def test_each_column_is_an_input_that_can_be_traced_back(saved: Path):
    content = json.loads((saved / "signature.json").read_text())
    assert {tensor["column"]: (tensor["name"], tensor["dtype"]) for tensor in content["inputs"]} == {
        "age (years)": ("age__years_", "float32"),
        "Größe": ("Gr__e", "float32"),
        "self": ("column_self", "string"),
        "AGE__years_": ("AGE__years__2", "string"),
    }
    assert content["output"] == {"name": "probabilities", "dtype": "float32", "shape": [None, 2], "column": None}


def test_missing_and_unseen_values_are_encoded_in_the_graph_as_in_training(saved: Path, table_model: Made):
    source = ModelFolder.open(table_model.model)
    columns: dict[str, Any] = {
        "age (years)": np.array([np.nan, -1e9, 40, 0, np.nan], dtype=np.float32),
        "Größe": np.array([1e4, np.nan, np.nan, 0, 9999.123], dtype=np.float32),
        "self": np.array(["", "red", "RED", "purple", "грн"]),
        "AGE__years_": np.array(["yes", "", "other", "no", "missing"]),
    }
    expected = source.load()(source.encode(columns, saved), training=False)
    assert answer_of(saved, columns) == pytest.approx(np.asarray(expected), abs=1e-6)


def test_a_fresh_process_answers_without_tunesmith(saved: Path):
    columns: dict[str, np.ndarray] = {
        "age (years)": np.array([33.0], dtype=np.float32),
        "Größe": np.array([1e4], dtype=np.float32),
        "self": np.array(["blue"]),
        "AGE__years_": np.array(["no"]),
    }
    rows = json.dumps({name: columns[column].tolist() for column, name in by_column(saved).items()})
    command = [sys.executable, "-c", ALONE, str(saved)]
    run = subprocess.run(command, input=rows, capture_output=True, text=True, check=True)
    assert np.array(json.loads(run.stdout)["probabilities"]) == pytest.approx(answer_of(saved, columns), abs=1e-6)


def test_a_saved_model_of_images_takes_raw_pixels(image_model: Made, tmp_path: Path):
    export(image_model.model, tmp_path / "exports", ["saved_model"])
    content = json.loads((tmp_path / "exports" / "saved_model" / "signature.json").read_text())
    assert content["inputs"] == [{"name": "image", "dtype": "float32", "shape": [None, 6, 5, 1], "column": None}]
