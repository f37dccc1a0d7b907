"""Files at URIs as Kubeflow Pipelines writes them: `minio://`, `s3://`, `gs://`, `file://`, and plain paths.

Endpoint and keys of an object store come from the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY);
see docs/storage.md. Every function raises StorageError, which names the URI, the endpoint and what helps.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.errors import StorageError
from tunesmith.files import disk_errors, whole_folder
from tunesmith.registry import did_you_mean
from tunesmith.storage._disk import Disk
from tunesmith.storage._patience import patient as patient
from tunesmith.storage._place import Place

OBJECT_STORES = ("minio", "s3", "gs")
ALLOWED = "minio://bucket/key, s3://bucket/key, gs://bucket/key, file:///path, /path"
# Readers take a folder for whole as soon as one of these is there.
WRITTEN_LAST = ("dataset.json", "version.json", "outcome.json")


def join(uri: str, *parts: str) -> str:
    """Return the URI of something below `uri`."""
    scheme, separator, path = uri.rpartition("://")
    return scheme + separator + "/".join([path.rstrip("/"), *(part.strip("/") for part in parts)])


def exists(uri: str) -> bool:
    """Tell whether there is a file or a folder with something in it."""
    place, path = _locate(uri)
    return place.is_file(path) or bool(place.names(path))


def names(uri: str) -> list[str]:
    """Return the sorted names in a folder, none where there is no such folder."""
    place, path = _locate(uri)
    return place.names(path)


def read_text(uri: str) -> str:
    """Return a file's text, which must be UTF-8."""
    place, path = _locate(uri)
    try:
        return place.read(path).decode()
    except UnicodeDecodeError:
        raise StorageError(f"{uri}: is no text file") from None


def write_text(uri: str, text: str) -> None:
    """Write a file as UTF-8, whole or not at all."""
    place, path = _locate(uri)
    place.write(path, text.encode())


def create_text(uri: str, text: str) -> bool:
    """Write a file as UTF-8 unless there is one of its name already; tells whether it did. Of two at once one succeeds."""
    place, path = _locate(uri)
    # An answer that was lost on its way is asked for again, and finds its own file.
    return place.create(path, text.encode()) or place.read(path) == text.encode()


def download(uri: str, target: Path) -> None:
    """Copy a file or a folder to `target` on this machine, in place of what is there, whole or not at all."""
    place, path = _locate(uri)
    if place.is_file(path):
        _download_file(place, path, target)
        return
    files = _checked(uri, place.files(path))
    with whole_folder(target) as partial:
        _download_files(place, path, files, partial)


def upload(source: Path, uri: str) -> None:
    """Copy a file or a folder of this machine to `uri`; other files there stay. What marks a folder as whole comes last."""
    place, path = _locate(uri)
    if source.is_file():
        place.put(source, path)
        return
    if not source.is_dir():
        raise StorageError(f"{source}: there is no such file or folder on this machine to be copied to {uri}")
    files = sorted(file for file in source.rglob("*") if file.is_file())
    for file in sorted(files, key=lambda file: file.name in WRITTEN_LAST):
        place.put(file, join(path, file.relative_to(source).as_posix()))


def remove(uri: str) -> None:
    """Delete a file, or a folder with all that is in it; one that is not there is no mistake."""
    place, path = _locate(uri)
    place.remove(path)


def local_place(uri: str, cache: Path, key: str) -> Path:
    """Return where `local_copy` has the folder: at its own path where it is on this machine, else at `cache`/`key`."""
    place, path = _locate(uri)
    return Path(path) if isinstance(place, Disk) else cache / key


def local_copy(uri: str, cache: Path, key: str) -> Path:
    """Return a folder on this machine with the content of `uri`, copied where it must be, once.

    `key` names the content, such as by its fingerprint; a copy that was interrupted is none.
    """
    place, path = _locate(uri)
    target = local_place(uri, cache, key)
    if target.is_dir():
        return target
    if isinstance(place, Disk):
        raise StorageError(f"{uri}: there is no such folder on this machine")
    files = _checked(uri, place.files(path))
    with _folder_beside(target) as partial:
        _download_files(place, path, files, partial)
    return target


def _locate(uri: str) -> tuple[Place, str]:
    """Return where a URI leads, and the path there (of an object: bucket/key)."""
    scheme, separator, path = uri.partition("://")
    if not separator:
        if not uri:
            raise StorageError(f"a storage URI is empty; allowed: {ALLOWED}")
        return Disk(), uri
    if scheme == "file":
        if not path.startswith("/"):
            raise StorageError(f"{uri}: needs an absolute path, as in file:///data")
        return Disk(), path
    if scheme not in OBJECT_STORES:
        near = did_you_mean(scheme, [*OBJECT_STORES, "file"])
        raise StorageError(f"{uri}: the scheme {scheme!r} is unknown{near}; allowed: {ALLOWED}")
    if not path.partition("/")[0]:
        raise StorageError(f"{uri}: names no bucket; allowed: {ALLOWED}")
    from tunesmith.storage._objects import Objects

    return Objects(scheme, os.environ), path.rstrip("/")


def _checked(uri: str, files: list[str]) -> list[str]:
    """Return the files of a folder; raises StorageError for none, and for names that lead out of it."""
    if not files:
        raise StorageError(f"{uri}: there is no such file or folder")
    for name in files:
        if name.startswith("/") or ".." in name.split("/"):
            raise StorageError(f"{uri}: holds a file named {name!r}, which leads out of the folder; it is not copied")
    return files


def _download_file(place: Place, path: str, target: Path) -> None:
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            place.get(path, partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


def _download_files(place: Place, path: str, files: list[str], folder: Path) -> None:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        place.get(join(path, name), folder / name)


@contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `target`, unless another process was quicker."""
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            yield partial
            if not target.is_dir():
                partial.rename(target)
        except OSError:
            if not target.is_dir():
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
