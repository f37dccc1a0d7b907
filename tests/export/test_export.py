"""Every format is found by its file, proved against the Keras model, and leaves nothing behind when it fails."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.model_folders import Made
from tunesmith.data.dataset import Dataset
from tunesmith.errors import DataError, ExportError, SpecError
from tunesmith.export import export
from tunesmith.export._export import compare
from tunesmith.export._exporter import Batch, Exporter
from tunesmith.registry import build, discover

Copied = Callable[[Made], Made]
FORMATS = discover("tunesmith.export")


@pytest.fixture(scope="session", params=["image_model", "table_model", "regression_model"])
def made(request: pytest.FixtureRequest) -> Made:
    """A model of each kind."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def exported(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each model exported in all formats, compared on its data set."""
    folder = tmp_path_factory.mktemp("exports") / "all"
    export(made.model, folder, FORMATS, made.dataset)
    return folder


def test_all_formats_pass_for_all_kinds_of_models(made: Made, exported: Path):
    records = json.loads((exported / "export.json").read_text())
    assert [record["format"] for record in records] == FORMATS
    for record in records:
        files = [path for path in (exported / record["format"]).rglob("*") if path.is_file()]
        assert record["size"] == sum(path.stat().st_size for path in files)
        assert record["difference"] <= record["allowed"]
        assert record["examples"] == min(64, len(Dataset.load(made.dataset).split("test")[1]))
        assert 0 < record["latency"]["median_ms"] <= record["latency"]["p90_ms"]


@pytest.mark.parametrize("name", FORMATS)
def test_class_names_lie_beside_each_export(exported: Path, made: Made, name: str):
    classes = list(Dataset.load(made.dataset).info.classes)
    assert json.loads((exported / name / "labels.json").read_text()) == classes


@pytest.mark.parametrize("name", FORMATS)
def test_the_metadata_is_the_same_each_time(made: Made, exported: Path, tmp_path: Path, name: str):
    export(made.model, tmp_path / "again", [name])
    texts = {path.name: path.read_text() for path in (exported / name).glob("*.json")}
    assert texts == {path.name: path.read_text() for path in (tmp_path / "again" / name).glob("*.json")}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rows", [1, 7])
def test_the_number_of_examples_is_free(exported: Path, made: Made, name: str, rows: int):
    dataset = Dataset.load(made.dataset)
    x, _ = dataset.split("test")
    columns = {} if dataset.encoding is None else {column: values[:rows] for column, values in dataset.raw("test").items()}
    answer = build("tunesmith.export", name, Exporter, {}, "formats").open(exported / name)
    answers = answer(Batch(x[:rows].astype(np.float32), columns))
    assert answers.shape == (rows, dataset.info.outputs)


def test_without_a_data_set_the_same_random_examples_are_compared(table_model: Made, tmp_path: Path):
    (first,) = export(table_model.model, tmp_path / "first", ["saved_model"])
    (second,) = export(table_model.model, tmp_path / "second", ["saved_model"])
    assert first.examples == 64
    assert first.difference == second.difference <= 1e-6


def test_a_wrong_export_is_refused_and_leaves_nothing(image_model: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tunesmith.export.onnx import Onnx

    opened = Onnx.open
    monkeypatch.setattr(Onnx, "open", lambda self, target: lambda batch: opened(self, target)(batch) + 0.01)
    with pytest.raises(ExportError, match=r"onnx: answers differ from the Keras model's by 0\.01, allowed is 0\.0001"):
        export(image_model.model, tmp_path / "exports", ["saved_model", "onnx"])
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_keeps_the_earlier_one(image_model: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tunesmith.export.onnx import Onnx

    export(image_model.model, tmp_path / "exports", ["onnx"])
    before = (tmp_path / "exports" / "export.json").read_text()

    def broken(*_: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(Onnx, "write", broken)
    with pytest.raises(ExportError, match=r"onnx: cannot export this model \(RuntimeError: no such operator\)"):
        export(image_model.model, tmp_path / "exports", ["onnx"])
    assert (tmp_path / "exports" / "export.json").read_text() == before


def test_an_export_replaces_an_earlier_one_but_nothing_else(image_model: Made, tmp_path: Path):
    export(image_model.model, tmp_path / "exports", ["saved_model"])
    export(image_model.model, tmp_path / "exports", ["onnx"])
    assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == ["export.json", "onnx"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("months of work")
    with pytest.raises(SpecError, match="mine: holds other files than an export"):
        export(image_model.model, tmp_path / "mine", ["onnx"])
    with pytest.raises(SpecError, match="holds the model itself"):
        export(image_model.model, image_model.model.parent, ["onnx"])


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["onx"], r"formats: 'onx' is unknown; allowed: .*onnx.* \(did you mean 'onnx'\?\)"),
        ([], "formats: got .*needs a list"),
        ("onnx", "formats: got 'onnx'; needs a list"),
    ],
)
def test_senseless_formats_are_refused(image_model: Made, tmp_path: Path, formats: list[str], message: str):
    with pytest.raises(SpecError, match=message):
        export(image_model.model, tmp_path / "exports", formats)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_a_senseless_tolerance_is_refused(image_model: Made, tmp_path: Path, tolerance: float):
    with pytest.raises(SpecError, match="tolerance: got"):
        export(image_model.model, tmp_path / "exports", tolerance=tolerance)


def test_a_missing_package_is_named_with_the_pip_extra(image_model: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = importlib.util.find_spec
    hidden = ("tf2onnx", "onnxruntime")
    monkeypatch.setattr("tunesmith.export._exporter.find_spec", lambda name: None if name in hidden else found(name))
    with pytest.raises(ExportError, match=r"onnx: needs tf2onnx and onnxruntime; pip install 'tunesmith\[onnx\]'"):
        export(image_model.model, tmp_path / "exports", ["onnx"])


def test_a_data_set_of_another_kind_is_refused(image_model: Made, table_model: Made, tmp_path: Path):
    with pytest.raises(DataError, match="has kind 'table'"):
        export(image_model.model, tmp_path / "exports", ["onnx"], table_model.dataset)


def test_answers_of_another_shape_or_not_finite_are_infinitely_different():
    ones = np.ones((2, 3))
    assert compare(ones, np.ones((2, 3)) * 1.5) == 0.5
    assert compare(ones[:1], ones) == np.inf
    assert compare(ones * np.nan, ones) == np.inf


def test_a_regressions_tolerance_follows_its_units(regression_model: Made, tmp_path: Path):
    (record,) = export(regression_model.model, tmp_path / "exports", ["onnx"], tolerance=1e-4)
    assert 10 < record.allowed < 100


def test_the_model_folder_is_left_as_it_was(table_model: Made, copied: Copied, tmp_path: Path):
    made = copied(table_model)
    before = {path.name: path.read_bytes() for path in made.model.iterdir()}
    export(made.model, tmp_path / "exports", ["onnx"])
    assert {path.name: path.read_bytes() for path in made.model.iterdir()} == before


def test_exporting_and_judging_are_imported_without_tensorflow():
    heavy = "import sys, tunesmith.export, tunesmith.evaluate; print({'tensorflow', 'keras', 'onnx'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout == "set()\n"
