"""The seam between URIs and what is behind them: a disk or an object store."""

from abc import ABC, abstractmethod
from pathlib import Path


class Place(ABC):
    """Files at names of their own, in folders; every failure is a StorageError that says where and what helps.

    A file appears whole or not at all; one that is written replaces one of its name.
    """

    @abstractmethod
    def is_file(self, path: str) -> bool:
        """Tell whether there is such a file."""

    @abstractmethod
    def names(self, path: str) -> list[str]:
        """Return the sorted names of the files and folders in a folder, none where there is no such folder."""

    @abstractmethod
    def files(self, path: str) -> list[str]:
        """Return the files below a folder by their paths relative to it, sorted, none where there is no such folder."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return a file's content."""

    @abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Write a file; folders above it need not be there."""

    @abstractmethod
    def create(self, path: str, content: bytes) -> bool:
        """Write a file unless there is one of its name; of two that try at once one succeeds. Tells whether it did."""

    @abstractmethod
    def get(self, path: str, local: Path) -> None:
        """Copy a file to this machine."""

    @abstractmethod
    def put(self, local: Path, path: str) -> None:
        """Copy a file of this machine; folders above its new place need not be there."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Delete a file, or a folder with all that is in it; one that is not there is no mistake."""
