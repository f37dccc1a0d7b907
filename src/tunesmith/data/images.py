"""Prepares images: pixels stay as they are, models are told their mean and deviation."""

from typing import Any

from tunesmith.data.labels import read_labels
from tunesmith.data.prepared import Prepared, Settings, describe
from tunesmith.data.sources._source import RawImages
from tunesmith.data.splits import split_rows
from tunesmith.data.statistics import pixel_statistics
from tunesmith.errors import DataError


def prepare_images(raw: RawImages, settings: Settings) -> Prepared:
    """Return the split images; raises DataError for labels or pixels that cannot be learnt from."""
    if settings.target is not None:
        raise DataError(
            f"data.target: got {settings.target!r}; these are images with labels of their own, only a table has a target"
        )
    labels = read_labels(raw.labels, settings.task, raw.places, images=True)
    rows = split_rows(labels, settings.shares, raw.places, raw.assigned, {"images": raw.images})
    x = {split: raw.images[chosen] for split, chosen in rows.items()}
    statistics: dict[str, Any] = pixel_statistics(x["train"])
    if statistics["minimum"] == statistics["maximum"]:
        raise DataError(f"all pixels of the training split are {statistics['minimum']:g}; there is nothing to learn")
    if raw.assigned is not None:
        statistics["split"] = f"kept as the source has it: {', '.join(sorted(set(raw.assigned.tolist())))}"
    return describe("images", labels, rows, x, settings, {"images": raw.images, "assigned": raw.assigned}, statistics)
