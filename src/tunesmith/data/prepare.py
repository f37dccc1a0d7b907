"""Makes a prepared data set of whatever a search file names: finds the source, reads it, splits it, writes the folder."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from tunesmith.data.images import prepare_images
from tunesmith.data.info import DatasetInfo
from tunesmith.data.prepared import Settings
from tunesmith.data.sources._source import RawImages, RawTable, Source
from tunesmith.data.splits import Shares
from tunesmith.data.tables import prepare_table
from tunesmith.errors import DataError
from tunesmith.registry import build, did_you_mean, discover
from tunesmith.storage import OBJECT_STORES, download

if TYPE_CHECKING:
    from tunesmith.sections import DataSpec

SOURCES = "tunesmith.data.sources"


def prepare(spec: "DataSpec", folder: Path, base: Path = Path()) -> DatasetInfo:
    """Write the data set of `spec` into `folder`, whole or not at all, in place of an earlier one; return its description.

    base: where relative paths begin. Raises DataError, naming `spec.uri`, for data that cannot be used as they are.
    """
    settings = Settings(spec.uri, spec.task, spec.target, _shares(spec))
    try:
        raw = _read(spec.uri, base)
        made = prepare_images(raw, settings) if isinstance(raw, RawImages) else prepare_table(raw, settings)
    except DataError as error:
        raise DataError(f"{spec.uri}: {error}") from None
    found = made.info.fingerprint
    if spec.fingerprint not in (None, found):
        raise DataError(
            f"{spec.uri}: has the fingerprint {found}, data.fingerprint wants {spec.fingerprint}; the data have changed"
        )
    return made.write(folder)


def _shares(spec: "DataSpec") -> Shares:
    return Shares(spec.validation, spec.test, spec.seed, by_content=spec.split == "content")


def _read(uri: str, base: Path) -> RawTable | RawImages:
    """Read `uri` by the source that handles it."""
    sources = [build(SOURCES, name, Source, {}, "source") for name in discover(SOURCES)]
    for source in sources:
        if not source.is_file and source.handles(uri.lower()):
            return source.read(base)
    for source in sources:
        if source.is_file and source.handles(uri.lower()):
            with _on_this_machine(uri, base, sources) as path:
                return _read_file(source, path)
    raise DataError(f"is of no kind that can be read; {_allowed(sources)}{did_you_mean(uri, _names(sources))}")


@contextmanager
def _on_this_machine(uri: str, base: Path, sources: list[Source]) -> Iterator[Path]:
    """Yield the path that `uri` names, relative to `base`, or of a copy of what lies in an object store."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", uri):
        yield base / uri
        return
    parts = urlparse(uri)
    if parts.scheme in OBJECT_STORES:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(parts.path).name
            download(uri, copy)
            yield copy
        return
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise DataError(f"is not on this machine and cannot be read from here; copy it; {_allowed(sources)}")
    yield Path(unquote(parts.path))


def _read_file(source: Source, path: Path) -> RawTable | RawImages:
    if path.is_dir():
        raise DataError("is a folder; needs a file")
    if not path.exists():
        raise DataError(f"does not exist (looked for {path.absolute()})")
    try:
        if path.stat().st_size == 0:
            raise DataError("is empty (0 bytes)")
        return source.read(path)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})") from None


def _allowed(sources: list[Source]) -> str:
    files = ", ".join(source.takes for source in sources if source.is_file)
    return f"allowed: {', '.join(_names(sources))}, or the path, file:// or s3:// address of a file {files}"


def _names(sources: list[Source]) -> list[str]:
    return [source.takes for source in sources if not source.is_file]
