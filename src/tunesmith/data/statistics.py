"""What a report and a training need to know of the examples: plain finite numbers, ready for JSON."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tunesmith.data.labels import Labels
from tunesmith.data.splits import Rows

CHUNK = 4096
MOST_NAMED = 10


def class_counts(labels: Labels, rows: Rows) -> dict[str, dict[str, int]]:
    """Return how many examples of each class each split holds."""
    counts = {split: np.bincount(labels.values[chosen], minlength=len(labels.classes)) for split, chosen in rows.items()}
    return {split: dict(zip(labels.classes, found.tolist(), strict=True)) for split, found in counts.items()}


def target_summary(labels: Labels, rows: Rows) -> dict[str, dict[str, float]]:
    """Return the range and the mean of a regression's target in each split."""
    return {split: summary(labels.values[chosen].astype(np.float64)) for split, chosen in rows.items() if len(chosen)}


def summary(known: np.ndarray) -> dict[str, float]:
    """Return the range, mean and deviation of finite float64 numbers."""
    return {
        **{"minimum": float(known.min()), "maximum": float(known.max())},
        **{"mean": float(known.mean()), "deviation": float(known.std())},
    }


def pixel_statistics(images: np.ndarray) -> dict[str, float]:
    """Return mean, deviation and range over all pixels, without a float64 copy of all images."""
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    mean = sum(float(chunk.sum(dtype=np.float64)) for chunk in chunks) / images.size
    variance = sum(float(np.square(chunk.astype(np.float64) - mean).sum()) for chunk in chunks) / images.size
    return {
        **{"pixel_mean": mean, "pixel_deviation": variance**0.5},
        **{"minimum": float(images.min()), "maximum": float(images.max())},
    }


def column_summary(values: np.ndarray) -> dict[str, Any]:
    """Describe one column of a table: its kind, how many values are missing, its numbers or its most frequent categories."""
    if values.dtype.kind == "f":
        known = values[~np.isnan(values)]
        found = summary(known) if len(known) else {}
        return {"kind": "numeric", "missing": len(values) - len(known), **found}
    texts, counts = np.unique(values[values != ""].astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_NAMED]
    frequent = {str(texts[i]): int(counts[i]) for i in order}
    return {"kind": "category", "missing": len(values) - int(counts.sum()), "categories": len(texts), "frequent": frequent}


def duplicates(x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Return how many examples of validation and test, label included, occur in an earlier split too."""
    seen: set[bytes] = set()
    counts: dict[str, int] = {}
    for split in x:
        digests = [_digest(example, label) for example, label in zip(x[split], y[split], strict=True)]
        counts[split] = sum(digest in seen for digest in digests)
        seen.update(digests)
    return {split: count for split, count in counts.items() if split != "train"}


def _digest(example: np.ndarray, label: np.generic) -> bytes:
    return hashlib.blake2b(example.tobytes() + label.tobytes(), digest_size=16).digest()


def duplicate_warnings(counts: Mapping[str, int], rows: Rows) -> list[str]:
    """Say in words which splits repeat examples, since a score on them flatters the model."""
    return [
        f"{count:,} of {len(rows[split]):,} examples of {split} occur in an earlier split too; its score may be too good"
        for split, count in counts.items()
        if count
    ]
