"""Writes files and folders whole or not at all, so that a killed process leaves nothing half-written."""

import errno
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.errors import StudyError


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 under another name and move it into place; raises StudyError where the disk is full."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with disk_errors(path):
        try:
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def write_json(path: Path, content: Any) -> None:
    """Write plain data as JSON; NaN and infinities are refused, since JSON has none."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of `folder` when the block ends without an error.

    Raises StudyError where the disk is full; `folder` is then left as it was.
    """
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            yield partial
            partial.chmod(0o755)
            _replace(folder, partial)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _replace(folder: Path, new: Path) -> None:
    """Put `new` in the place of `folder`, which is only deleted once its successor is there."""
    old = new.with_name(f"{new.name}.old")
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk below `path` into a StudyError that says so."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if not any(word in str(error) for word in ("full", "readonly", "disk I/O")):
            raise
        raise StudyError(f"{path}: {error}; free some space and run the same command again, nothing finished is lost") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        advice = "mend that and run the same command again, nothing finished is lost"
        raise StudyError(f"{path}: {error.strerror}; {advice}") from None
