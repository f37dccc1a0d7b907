"""An ONNX file names its tensors, keeps its opset, and travels with the encoding of its rows."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.model_folders import Made, load_model
from tunesmith.data.dataset import Dataset
from tunesmith.data.encoding import TableEncoding
from tunesmith.export import export
from tunesmith.export.onnx import FILE, OPSET


@pytest.fixture(scope="session")
def written(table_model: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported table model."""
    folder = tmp_path_factory.mktemp("onnx") / "exports"
    export(table_model.model, folder, ["onnx"])
    return folder / "onnx"


def test_input_and_output_bear_the_names_of_the_signature(written: Path):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(written / FILE), providers=["CPUExecutionProvider"])
    content = json.loads((written / "signature.json").read_text())
    (given,), (answer,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("features", ["batch", *content["inputs"][0]["shape"][1:]])
    assert (answer.name, answer.shape) == ("probabilities", ["batch", 2])


def test_the_opset_is_fixed(written: Path):
    import onnx

    versions = {entry.domain: entry.version for entry in onnx.load(written / FILE).opset_import}
    assert versions[""] == OPSET


def test_rows_encoded_with_the_copy_beside_it_give_the_models_answers(written: Path, table_model: Made):
    import onnxruntime

    encoded = TableEncoding.load(written).encode(Dataset.load(table_model.dataset).raw("test"))
    session = onnxruntime.InferenceSession(str(written / FILE), providers=["CPUExecutionProvider"])
    answers = session.run(["probabilities"], {"features": encoded})[0]
    expected = load_model(table_model.model).predict(encoded, verbose=0)
    assert np.asarray(answers) == pytest.approx(expected, abs=1e-5)
