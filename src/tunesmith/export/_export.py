"""Exports a model into several formats, each proved to answer as the Keras model does."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.data.dataset import Dataset
from tunesmith.errors import ExportError, SpecError
from tunesmith.export._batch import sample_batch, seeded_batch
from tunesmith.export._exporter import Batch, Exporter
from tunesmith.files import whole_folder, write_json
from tunesmith.latency import Latency, measure
from tunesmith.model_folder import ModelFolder
from tunesmith.registry import build

if TYPE_CHECKING:
    import keras

FORMATS = ("saved_model", "onnx")
RECORD = "export.json"


@dataclass(frozen=True)
class ExportRecord:
    """One exported format: a folder of the format's name.

    `difference` is the largest absolute difference from the Keras model's answers over `examples` examples, `allowed` what it
    may be; `size` is in bytes; `latency` is of one example, answered by the artifact as reloaded from disk.
    """

    format: str
    difference: float
    allowed: float
    examples: int
    size: int
    latency: Latency


def export(
    model_folder: Path,
    folder: Path,
    formats: Sequence[str] = FORMATS,
    dataset_folder: Path | None = None,
    tolerance: float = 1e-4,
) -> list[ExportRecord]:
    """Export a model into `folder`, which holds a folder per format and `export.json` afterwards, or is left as it was.

    Each export is reloaded from disk and compared with the Keras model on the data set's first test examples, or on seeded
    random ones. `tolerance` is absolute for class probabilities; for a regression it is relative to the largest answer (or
    the target's deviation, if larger), since float32 itself is.
    Raises SpecError for a mistake in the arguments, ExportError for a missing package or answers beyond the tolerance.
    """
    exporters = _exporters(formats)
    _check_arguments(model_folder, folder, tolerance)
    source = ModelFolder.open(model_folder)
    batch = sample_batch(source, Dataset.load(dataset_folder), dataset_folder) if dataset_folder else seeded_batch(source)
    model = source.load()
    with whole_folder(folder) as partial:
        records = [_export(name, exporter, model, source, batch, partial, tolerance) for name, exporter in exporters.items()]
        write_json(partial / RECORD, [asdict(record) for record in records])
    return records


def _exporters(formats: Sequence[str]) -> dict[str, Exporter]:
    if not formats or isinstance(formats, str):
        raise SpecError(f"formats: got {formats!r}; needs a list of formats, such as {list(FORMATS)}")
    exporters = {name: build("tunesmith.export", name, Exporter, {}, "formats") for name in formats}
    for name, exporter in exporters.items():
        exporter.check_installed(name)
    return exporters


def _check_arguments(model_folder: Path, folder: Path, tolerance: float) -> None:
    """Raise SpecError for a senseless tolerance, and for a folder whose content is no export and would be lost."""
    if not 0 < tolerance < math.inf:
        raise SpecError(f"tolerance: got {tolerance!r}; needs a number above 0, such as 0.0001")
    if model_folder.resolve().is_relative_to(folder.resolve()):
        raise SpecError(f"{folder}: holds the model itself; give another folder for the exports")
    if folder.exists() and not folder.is_dir():
        raise SpecError(f"{folder}: is a file; needs a folder for the exports")
    if folder.exists() and any(folder.iterdir()) and not (folder / RECORD).exists():
        raise SpecError(f"{folder}: holds other files than an export; give a new or an empty folder")


def _export(
    name: str, exporter: Exporter, model: "keras.Model", source: ModelFolder, batch: Batch, folder: Path, tolerance: float
) -> ExportRecord:
    target = folder / name
    target.mkdir()
    try:
        exporter.write(model, source, target)
        answer = exporter.open(target)
        answers = answer(batch)
    except Exception as error:
        raise ExportError(f"{name}: cannot export this model ({type(error).__name__}: {error})") from error
    expected = np.asarray(model(batch.encoded, training=False))
    difference, allowed = compare(answers, expected), tolerance * _scale(source, expected)
    if not difference <= allowed:
        raise ExportError(f"{name}: answers differ from the Keras model's by {difference:.3g}, allowed is {allowed:.3g}")
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    single = batch.first()
    return ExportRecord(name, difference, allowed, len(expected), size, measure(lambda: answer(single)))


def compare(answers: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest absolute difference; infinite where the shapes differ or an answer is not finite."""
    if answers.shape != expected.shape or not np.isfinite(answers).all():
        return math.inf
    return float(np.abs(answers.astype(np.float64) - expected.astype(np.float64)).max())


def _scale(source: ModelFolder, expected: np.ndarray) -> float:
    """Return what a tolerance of 1 stands for, in the units of the answers."""
    if source.info.task == "classification":
        return 1.0
    return max(float(np.abs(expected).max()), source.info.target_scale[1])
