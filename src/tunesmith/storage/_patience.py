"""How long an object store may be away before a call gives up."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# A person waits for an answer; who cannot be asked again takes more.
SECONDS: ContextVar[float] = ContextVar("patience", default=15.0)


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Let every call of the block repeat for so many seconds what fails for a passing reason."""
    token = SECONDS.set(seconds)
    try:
        yield
    finally:
        SECONDS.reset(token)
