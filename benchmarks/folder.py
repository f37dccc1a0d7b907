"""The folder of tables that --data names, where one file that cannot be read does not keep the others from use."""

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def folder(text: str) -> Path:
    """Return the folder that an option names; raises argparse's error for one that is not there."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not there" if not path.exists() else f"{text!r} is no folder")
    return path


def read_each(data: Path | None, endings: tuple[str, ...], read: Callable[[Path], Iterable[T]]) -> Iterator[T]:
    """Yield what `read` makes of every file with such an ending, in the order of names; a file that breaks it is left out."""
    for file in sorted(file for file in data.iterdir() if file.name.endswith(endings)) if data else ():
        try:
            found = list(read(file))
        # Whatever a broken file makes a reader raise.
        except Exception as error:
            _warn(file, f"{error}" if isinstance(error, ValueError) and str(error) else f"{type(error).__name__}: {error}")
            continue
        yield from found


@cache
def _warn(file: Path, why: str) -> None:
    """Say it once, and not again in every process that works cells off."""
    if multiprocessing.parent_process() is None:
        print(f"left out: {file}: {' '.join(why.split())}", file=sys.stderr)
