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
    """Write `text` under another name and move it into place."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text)
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write plain data as JSON; NaN and infinities are refused, since JSON has none."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of `folder` when the block ends without an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield partial
        partial.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk below `path` into a StudyError that says so."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" not in str(error) and "readonly" not in str(error):
            raise
        raise StudyError(f"{path}: {error}; free some space and run the same command again, nothing finished is lost") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        advice = "mend that and run the same command again, nothing finished is lost"
        raise StudyError(f"{path}: {error.strerror}; {advice}") from None
