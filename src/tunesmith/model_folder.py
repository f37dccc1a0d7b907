"""A trained model as training leaves it: `model.keras` and what it takes to feed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.data.dataset import Dataset
from tunesmith.data.encoding import TableEncoding
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import DataError, SpecError

if TYPE_CHECKING:
    import keras

FILE = "model.keras"


@dataclass(frozen=True)
class ModelFolder:
    """A folder with a model, the description of its training data and, for a table, the encoding of its rows."""

    path: Path
    info: DatasetInfo
    encoding: TableEncoding | None

    @classmethod
    def open(cls, path: Path) -> "ModelFolder":
        """Read all but the model itself; raises SpecError where `path` is no model's folder."""
        missing = [name for name in (FILE, "dataset.json") if not (path / name).is_file()]
        if missing:
            raise SpecError(f"{path}: is no model folder (it has no {' and no '.join(missing)})")
        info = DatasetInfo.load(path)
        if info.kind == "table" and not (path / "encoding.json").is_file():
            raise SpecError(f"{path}: is no model folder of a table (it has no encoding.json)")
        return cls(path, info, TableEncoding.load(path) if info.kind == "table" else None)

    @property
    def size(self) -> int:
        """Size of the model's file in bytes."""
        return (self.path / FILE).stat().st_size

    def load(self) -> "keras.Model":
        """Load the model without its optimizer; raises SpecError for a damaged, foreign or unsafe file."""
        import keras

        path = self.path / FILE
        try:
            model: Any = keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # a damaged file fails in as many ways as it has bytes
            raise SpecError(f"{path}: cannot be loaded as a Keras model ({_first_line(error)})") from None
        self._check_shapes(model)
        return model

    def encode(self, columns: Mapping[str, np.ndarray], where: Path) -> np.ndarray:
        """Encode raw columns of a table as the model was trained on them: float32 of shape (rows, features).

        Raises DataError naming `where` for a column that is missing or of another kind.
        """
        if self.encoding is None:
            raise TypeError(f"{self.path}: a model of {self.info.kind} has no encoding")
        try:
            return self.encoding.encode(columns)
        except DataError as error:
            raise DataError(f"{where}: does not suit the model in {self.path}: {error}") from None

    def test_examples(self, dataset: Dataset, where: Path) -> tuple[np.ndarray, np.ndarray]:
        """Return the test split as the model takes it, and its labels; raises DataError where the two do not belong together.

        A table's raw rows are encoded with the model's own encoding, since a data set prepared again has another one.
        """
        self._check_match(dataset.info, where)
        x, y = dataset.split("test")
        return (x if self.encoding is None else self.encode(dataset.raw("test"), where)), y

    def _check_match(self, info: DatasetInfo, where: Path) -> None:
        for name in ("kind", "task", "target", "classes"):
            trained, given = getattr(self.info, name), getattr(info, name)
            if trained != given:
                raise DataError(f"{where}: has {name} {_show(given)}, the model in {self.path} was trained on {_show(trained)}")
        if info.kind == "images" and info.input_shape != self.info.input_shape:
            raise DataError(f"{where}: has images {info.input_shape}, the model in {self.path} takes {self.info.input_shape}")

    def _check_shapes(self, model: "keras.Model") -> None:
        """Raise SpecError where the model's own shapes are not those that its folder promises."""
        for what, shape, promised in (
            ("takes", getattr(model, "input_shape", None), self.info.input_shape),
            ("answers", getattr(model, "output_shape", None), (self.info.outputs,)),
        ):
            if not _fits(shape, promised):
                raise SpecError(f"{self.path / FILE}: the model {what} {shape}, its dataset.json says {(None, *promised)}")


def _fits(shape: Any, promised: tuple[int, ...]) -> bool:
    """Tell whether a Keras shape (None: any size) admits examples of the promised shape."""
    if not isinstance(shape, tuple) or len(shape) != len(promised) + 1:
        return False
    return all(size in (None, wanted) for size, wanted in zip(shape[1:], promised, strict=True))


def _show(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else repr(value)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
