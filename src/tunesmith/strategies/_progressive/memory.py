"""What was worked out once, by what it depends on: every proposal asks for it again, and a restart for all of it."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Memory(Generic[Kept]):
    """The `most` last results, by key."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.results: OrderedDict[bytes, Kept] = OrderedDict()

    def recall(self, key: bytes, make: Callable[[], Kept]) -> Kept:
        """Return what the key stands for, made where it is not known."""
        result = self.results.get(key)
        if result is None:
            result = make()
            self.results[key] = result
            while len(self.results) > self.most:
                self.results.popitem(last=False)
        return result


def key_of(*parts: object) -> bytes:
    """Return a key for what depends on these, each of which has a text of its own."""
    return hashlib.sha256(repr(parts).encode()).digest()
