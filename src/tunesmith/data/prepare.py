"""Makes a prepared data set of whatever a search file names: finds the source, reads it, splits it, writes the folder."""

import re
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

if TYPE_CHECKING:
    from tunesmith.spec import DataSpec

SOURCES = "tunesmith.data.sources"


def prepare(spec: "DataSpec", folder: Path, base: Path = Path()) -> DatasetInfo:
    """Write the data set of `spec` into `folder`, whole or not at all, in place of an earlier one; return its description.

    base: where relative paths begin. Raises DataError, naming `spec.uri`, for data that cannot be used as they are.
    """
    settings = Settings(spec.uri, spec.task, spec.target, Shares(spec.validation, spec.test, spec.seed))
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


def _read(uri: str, base: Path) -> RawTable | RawImages:
    """Read `uri` by the source that handles it."""
    sources = [build(SOURCES, name, Source, {}, "source") for name in discover(SOURCES)]
    for source in sources:
        if not source.is_file and source.handles(uri.lower()):
            return source.read(base)
    path = _local_path(uri, base, sources)
    for source in sources:
        if source.is_file and source.handles(path.name.lower()):
            return _read_file(source, path)
    raise DataError(f"is of no kind that can be read; {_allowed(sources)}{did_you_mean(uri, _names(sources))}")


def _local_path(uri: str, base: Path, sources: list[Source]) -> Path:
    """Return the path that `uri` names, relative to `base`; raises DataError for a remote place."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", uri):
        return base / uri
    parts = urlparse(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise DataError(f"is not on this machine and cannot be read from here; copy it; {_allowed(sources)}")
    return Path(unquote(parts.path))


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
    return f"allowed: {', '.join(_names(sources))}, or the path or file:// address of a file {files}"


def _names(sources: list[Source]) -> list[str]:
    return [source.takes for source in sources if not source.is_file]
