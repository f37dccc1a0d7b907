"""Small source files for the tests of data."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.data.dataset import Dataset
from tunesmith.data.encoding import TableEncoding
from tunesmith.data.prepare import prepare
from tunesmith.sections import DataSpec


def write_csv(folder: Path, text: str, name: str = "table.csv") -> str:
    """Write a text file (packed where its name ends in .gz) and return its path."""
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return str(path)


def csv_text(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def people(count: int = 60) -> list[str]:
    """Return rows of age, city, label: numbers with gaps, three cities, two classes."""
    rng = np.random.default_rng(0)
    return [
        f"{'' if i % 10 == 9 else rng.integers(18, 90)},{['Bonn', 'Köln', 'Ulm'][rng.integers(3)]},{['no', 'yes'][i % 2]}"
        for i in range(count)
    ]


def save_npz(folder: Path, **arrays: Any) -> str:
    """Write an .npz file and return its path."""
    np.savez(folder / "arrays.npz", **arrays)
    return str(folder / "arrays.npz")


def pictures(count: int = 40, classes: int = 4) -> dict[str, np.ndarray]:
    """Return x (count, 3, 2) of bytes, all different, and y with equally frequent classes."""
    x = np.random.default_rng(0).integers(0, 256, (count, 3, 2), dtype=np.uint8)
    return {"x": x, "y": np.arange(count) % classes}


def prepared(folder: Path, uri: str, **settings: Any) -> Dataset:
    """Prepare `uri` below `folder` and open the data set."""
    prepare(DataSpec(uri=uri, **settings), folder / "dataset")
    return Dataset.load(folder / "dataset")


def encoding_of(data: Dataset) -> TableEncoding:
    """Return the encoding of a table."""
    assert data.encoding is not None
    return data.encoding
