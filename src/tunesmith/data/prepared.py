"""A data set ready to be written: what all kinds have in common."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tunesmith.data.dataset import write_raw
from tunesmith.data.encoding import TableEncoding
from tunesmith.data.fingerprint import fingerprint
from tunesmith.data.info import DatasetInfo, Kind, Task
from tunesmith.data.labels import Labels
from tunesmith.data.splits import Rows, Shares
from tunesmith.data.statistics import class_counts, duplicate_warnings, duplicates, target_summary
from tunesmith.errors import DataError
from tunesmith.files import disk_errors, whole_folder


@dataclass(frozen=True)
class Settings:
    """What was asked of the preparation, checked; see DataSpec."""

    source: str
    task: Literal["auto"] | Task
    target: str | None
    shares: Shares


@dataclass(frozen=True)
class Prepared:
    """A whole data set in memory; `encoding` and `raw` (columns of the test split) are a table's."""

    info: DatasetInfo
    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    encoding: TableEncoding | None = None
    raw: dict[str, np.ndarray] | None = None

    def write(self, folder: Path) -> DatasetInfo:
        """Write the folder, whole or not at all, in place of an earlier data set; anything else there raises DataError."""
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / "dataset.json").exists()):
            raise DataError(f"{folder}: is no prepared data set; it is left as it is, choose another folder")
        with disk_errors(folder), whole_folder(folder) as partial:
            for split, x in self.x.items():
                np.save(partial / f"{split}_x.npy", x, allow_pickle=False)
                np.save(partial / f"{split}_y.npy", self.y[split], allow_pickle=False)
            if self.encoding is not None:
                self.encoding.save(partial)
            if self.raw is not None:
                write_raw(partial / "test_raw.npz", self.raw)
            self.info.save(partial)
        return self.info


def describe(
    kind: Kind,
    labels: Labels,
    rows: Rows,
    x: dict[str, np.ndarray],
    settings: Settings,
    content: dict[str, np.ndarray | None],
    statistics: dict[str, Any],
) -> Prepared:
    """Put a data set together from the encoded examples and the labels.

    rows: the examples of each split; x: what they look like to a network; content: the source's arrays, for the fingerprint.
    statistics: what is known of this kind of data; `warnings` in it are kept.
    """
    y = {split: labels.values[chosen] for split, chosen in rows.items()}
    repeated = duplicates(x, y)
    per_split = (
        {"classes": class_counts(labels, rows)} if labels.task == "classification" else {"target": target_summary(labels, rows)}
    )
    warnings = [*statistics.get("warnings", []), *duplicate_warnings(repeated, rows)]
    info = DatasetInfo(
        kind=kind,
        task=labels.task,
        input_shape=tuple(x["train"].shape[1:]),
        classes=labels.classes,
        sizes={split: len(chosen) for split, chosen in rows.items()},
        fingerprint=fingerprint({**content, "labels": labels.values}, _content_settings(settings, labels)),
        source=settings.source,
        statistics={**statistics, **per_split, "duplicates": repeated, "warnings": warnings},
    )
    if labels.task == "regression":
        info = replace(info, target_scale=_scale(y["train"]))
    return Prepared(info, x, y)


def _content_settings(settings: Settings, labels: Labels) -> dict[str, Any]:
    shares = settings.shares
    split = {"validation": shares.validation, "test": shares.test, "seed": shares.seed}
    split |= {"by_content": True} if shares.by_content else {}
    return {"task": labels.task, "classes": list(labels.classes), **split}


def _scale(targets: np.ndarray) -> tuple[float, float]:
    """Return mean and deviation of the target; raises DataError where it does not vary."""
    numbers = targets.astype(np.float64)
    if numbers.min() == numbers.max():
        raise DataError(f"all labels of the training split are {numbers[0]:g}; there is nothing to learn")
    return float(numbers.mean()), float(numbers.std())
