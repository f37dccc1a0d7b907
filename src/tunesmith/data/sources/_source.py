"""The source seam: reads examples from one kind of place. A file of this package is a source; adding one is adding a file."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tunesmith.errors import DataError

NAMED = 5


@dataclass(frozen=True)
class Places:
    """Where examples stand in their source, in the user's words: `word` is "line" or the like, `name_of` names one's place."""

    word: str
    name_of: Callable[[int], str]

    def name(self, examples: np.ndarray) -> str:
        """Name the places of the given examples: "line 3", "lines 3, 4 and 12 more"."""
        shown = ", ".join(self.name_of(int(i)) for i in examples[:NAMED])
        more = f" and {len(examples) - NAMED:,} more" if len(examples) > NAMED else ""
        return f"{self.word}{'s' if len(examples) > 1 else ''} {shown}{more}"


@dataclass(frozen=True)
class RawTable:
    """A table as its source holds it, label's column included.

    `columns` are equally long, by name: float64 (NaN: missing) or objects that are texts ("": missing).
    `assigned` is the split ("train", "validation", "test") that the source itself gives to each row, if it does;
    `notes` are words about what was found, for the data set's statistics.
    """

    columns: dict[str, np.ndarray]
    places: Places
    assigned: np.ndarray | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawImages:
    """Images of shape (n, height, width, channels) with one label each: numbers (NaN: missing) or texts ("": missing)."""

    images: np.ndarray
    labels: np.ndarray
    places: Places
    assigned: np.ndarray | None = None
    notes: tuple[str, ...] = ()


class Source(ABC):
    """Reads one kind of place. `takes` says which, for messages."""

    takes: ClassVar[str]
    # Whether the uri is the path of a file; the file's existence is then checked before `read`.
    is_file: ClassVar[bool] = True

    @abstractmethod
    def handles(self, uri: str) -> bool:
        """Tell whether `uri` (lower case) is of this kind."""

    @abstractmethod
    def read(self, path: Path) -> RawTable | RawImages:
        """Return what lies at `path`, an existing file unless `is_file` is false; raises DataError without naming the path."""


def check_some(count: int) -> None:
    """Raise DataError where there are no examples at all."""
    if count == 0:
        raise DataError("holds no examples")
