"""The export seam: a format writes a model into a folder, and opens that folder again to answer from it alone."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tunesmith.errors import ExportError
from tunesmith.model_folder import ModelFolder

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Batch:
    """Examples in both forms that exported models take.

    `encoded`: float32 of shape (examples, *input_shape), as the Keras model takes them. `columns`: the same rows unencoded,
    each column of shape (examples,), float32 or text; empty for images.
    """

    encoded: np.ndarray
    columns: Mapping[str, np.ndarray]

    def first(self) -> "Batch":
        """Return the batch of the first example alone."""
        return Batch(self.encoded[:1], {name: values[:1] for name, values in self.columns.items()})


Answer = Callable[[Batch], np.ndarray]


class Exporter(ABC):
    """One format, a frozen dataclass. `requires` names the packages it imports, `extra` the pip extra that brings them."""

    requires: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "train"

    @abstractmethod
    def write(self, model: "keras.Model", source: ModelFolder, target: Path) -> None:
        """Write the model into the folder `target`, which exists and is empty."""

    @abstractmethod
    def open(self, target: Path) -> Answer:
        """Load what was written and return its answers, of shape (examples, outputs); in one thread where the runtime can."""

    def check_installed(self, name: str) -> None:
        """Raise ExportError with the pip extra where a package of this format is missing."""
        missing = [package for package in self.requires if find_spec(package) is None]
        if missing:
            raise ExportError(f"{name}: needs {' and '.join(missing)}; pip install 'tunesmith[{self.extra}]'")
