"""A prepared data set, opened."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunesmith.data.encoding import FILE as ENCODING_FILE, TableEncoding
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """The examples of a prepared folder, read when asked for.

    `encoding` says how a table's raw columns became its features; None for images.
    """

    folder: Path
    info: DatasetInfo
    encoding: TableEncoding | None

    @classmethod
    def load(cls, folder: Path) -> "Dataset":
        """Open a prepared folder; raises DataError where it is none."""
        info = DatasetInfo.load(folder)
        encoded = info.kind == "table" and (folder / ENCODING_FILE).exists()
        return cls(folder, info, TableEncoding.load(folder) if encoded else None)

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (x, y) of the split `name`.

        x holds images' raw pixels, shape (n, height, width, channels), or a table's float32 features, shape (n, features).
        y holds int64 class indices, or float32 targets in their own units, shape (n,).
        """
        if not self.info.sizes.get(name):
            known = [split for split, size in self.info.sizes.items() if size]
            raise DataError(f"{self.folder}: has no split {name!r}; it has: {', '.join(known)}")
        x = _read(self.folder / f"{name}_x.npy")
        y = _read(self.folder / f"{name}_y.npy")
        if x.shape != (self.info.sizes[name], *self.info.input_shape) or y.shape != x.shape[:1]:
            raise DataError(
                f"{self.folder}: split {name!r} has x {x.shape} and y {y.shape}; its dataset.json says {self.info.input_shape}"
            )
        return x, y

    def raw(self, name: str) -> dict[str, np.ndarray]:
        """Return a table's columns before encoding: float32 (NaN: missing) or text ("": missing).

        Only those of the test split are kept; raises DataError for any other.
        """
        path = self.folder / f"{name}_raw.npz"
        if not path.exists():
            raise DataError(f"{self.folder}: has no raw columns of split {name!r}; a table keeps those of its test split")
        try:
            with np.load(path, allow_pickle=False) as file:
                return {column: file[key] for key, column in zip(_keys(file["names"]), file["names"].tolist(), strict=True)}
        except Exception as error:  # a damaged zip file fails in as many ways as it has bytes
            raise DataError(f"{path}: is damaged ({error})") from None


def write_raw(path: Path, columns: dict[str, np.ndarray]) -> None:
    """Write raw columns for `Dataset.raw`; their names are data too, since not every name can be a file's in a zip."""
    names = np.array(list(columns), dtype=str)
    arrays = {
        key: values if values.dtype.kind == "f" else values.astype(str)
        for key, values in zip(_keys(names), columns.values(), strict=True)
    }
    np.savez_compressed(path, allow_pickle=False, names=names, **arrays)


def _keys(names: np.ndarray) -> list[str]:
    return [f"column{i}" for i in range(len(names))]


def _read(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
