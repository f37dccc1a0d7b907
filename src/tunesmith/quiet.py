"""Sends what a process prints, libraries written in C included, somewhere else."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


@contextmanager
def output_to(path: Path, *descriptors: int) -> Iterator[None]:
    """Append all that is written to the file descriptors to the file `path` while the block runs."""
    _flush()
    kept = [os.dup(descriptor) for descriptor in descriptors]
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in descriptors:
        os.dup2(log, descriptor)
    os.close(log)
    try:
        yield
    finally:
        _flush()
        for descriptor, original in zip(descriptors, kept, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


def import_keras() -> None:
    """Import Keras and its backend without the lines that TensorFlow prints before any setting can silence it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with output_to(Path(os.devnull), STANDARD_ERROR):
        import keras  # noqa: F401


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
