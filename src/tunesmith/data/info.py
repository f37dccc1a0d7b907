"""What the rest of the product needs to know of a prepared data set, without loading it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from tunesmith.errors import DataError

Kind = Literal["images", "table"]
Task = Literal["classification", "regression"]
VERSION = 1


@dataclass(frozen=True)
class DatasetInfo:
    """Describes a prepared data set; `dataset.json` in its folder.

    `input_shape` is one encoded example's: (height, width, channels) for images, (features,) for a table.
    `classes` are the labels in the order of the model's outputs, empty for a regression.
    `sizes` counts the examples of train, validation and test. `target_scale` is (mean, deviation) of a regression's target on
    the training split: networks are trained on the standardised target.
    """

    kind: Kind
    task: Task
    input_shape: tuple[int, ...]
    classes: tuple[str, ...]
    sizes: dict[str, int]
    fingerprint: str
    source: str
    target: str = "label"
    target_scale: tuple[float, float] = (0.0, 1.0)
    statistics: dict[str, Any] = field(default_factory=dict)
    version: int = VERSION

    @property
    def outputs(self) -> int:
        """Number of the network's outputs: one per class, or 1 for a regression."""
        return len(self.classes) if self.task == "classification" else 1

    def save(self, folder: Path) -> None:
        """Write `dataset.json` into `folder`; NaN and infinities are refused, since JSON has none."""
        (folder / "dataset.json").write_text(json.dumps(asdict(self), indent=2, allow_nan=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "DatasetInfo":
        """Read `dataset.json`; raises DataError where `folder` is no data set prepared by this version."""
        path = folder / "dataset.json"
        if not path.exists():
            raise DataError(f"{folder}: is no prepared data set (it has no dataset.json)")
        try:
            raw = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read ({error})") from None
        if not isinstance(raw, dict):
            raise DataError(f"{path}: is no description of a data set")
        if raw.get("version", 0) > VERSION:
            raise DataError(f"{path}: was written by a newer Tunesmith (format {raw['version']}, this one reads {VERSION})")
        try:
            for name in ("input_shape", "classes", "target_scale"):
                raw[name] = tuple(raw[name])
            return cls(**raw)
        except (KeyError, TypeError) as error:
            raise DataError(f"{path}: is no description of a data set ({type(error).__name__}: {error})") from None
