"""Paths on this machine's disk or on a volume mounted here."""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tunesmith.errors import StorageError
from tunesmith.storage._place import Place

PARTIAL = ".partial"


class Disk(Place):
    """Folders and files of the operating system."""

    def is_file(self, path: str) -> bool:
        return Path(path).is_file()

    def names(self, path: str) -> list[str]:
        with _explained(path, "read"):
            return sorted(item.name for item in Path(path).iterdir() if _is_whole(item)) if Path(path).is_dir() else []

    def files(self, path: str) -> list[str]:
        with _explained(path, "read"):
            return sorted(str(file.relative_to(path)) for file in Path(path).rglob("*") if file.is_file() and _is_whole(file))

    def read(self, path: str) -> bytes:
        with _explained(path, "read"):
            return Path(path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        with _explained(path, "written"), _whole(Path(path)) as partial:
            partial.write_bytes(content)

    def create(self, path: str, content: bytes) -> bool:
        with _explained(path, "written"), _partial(Path(path)) as partial:
            partial.write_bytes(content)
            try:
                os.link(partial, path)
            except FileExistsError:
                return False
        return True

    def get(self, path: str, local: Path) -> None:
        with _explained(path, "read"):
            shutil.copyfile(path, local)

    def put(self, local: Path, path: str) -> None:
        with _explained(path, "written"), _whole(Path(path)) as partial:
            shutil.copyfile(local, partial)

    def remove(self, path: str) -> None:
        with _explained(path, "deleted"):
            if Path(path).is_dir():
                shutil.rmtree(path)
            else:
                Path(path).unlink(missing_ok=True)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file that takes the place of `path` when the block ends without an error."""
    with _partial(path) as partial:
        yield partial
        os.replace(partial, path)


def _make(folder: Path) -> None:
    """Make a folder; each new one is as open as the one it is in, since users and pods of several accounts share a volume."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(new):
        with suppress(PermissionError):
            path.chmod(stat.S_IMODE(path.parent.stat().st_mode))


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; nothing is left of it. Pods that share a volume all have the same process id."""
    _make(path.parent)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}{PARTIAL}")
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    """Tell a file from what a killed process left of one."""
    return not (path.name.startswith(".") and path.name.endswith(PARTIAL))


@contextmanager
def _explained(path: str, done: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise StorageError(f"{path}: there is no such file or folder on this machine") from None
    except PermissionError as error:
        raise StorageError(
            f"{path}: cannot be {done} ({error.strerror}); this process runs as user {os.geteuid()}, group {os.getegid()}, "
            "which need the right to it"
        ) from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be {done} ({error.strerror or error})") from None
