"""Who searches: our strategies and the peers, one module a library; a new peer is a new file.

A module has `REQUIRES`, the package it needs, and `names()`, and `make(name, knobs, seed, trials, batch)` returns a searcher.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Protocol

from quality.problem import Knob
from tunesmith.spaces._space import Candidate

OURS = "tunesmith"


class Searcher(Protocol):
    """Asks for candidates and is told what came of them."""

    def ask(self, count: int) -> Sequence[Candidate]:
        """Return candidates to be tried, all at once."""
        ...

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        """Take in the losses of all that was asked last, in that order; None for a failure."""
        ...

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        """Take in trials that it never asked for."""
        ...


def _modules() -> dict[str, Any]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


def available() -> tuple[dict[str, list[str]], list[str]]:
    """Return the searchers' names by module, and what is missing, in words."""
    found, missing = {}, []
    for module, content in _modules().items():
        if find_spec(content.REQUIRES) is None:
            missing.append(f"{', '.join(content.names())} ({content.REQUIRES} is not installed)")
        else:
            found[module] = content.names()
    return found, missing


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> Searcher:
    """Return the searcher of that name, of ours with settings: `tunesmith tpe` or `tunesmith tpe gamma=0.2,startup=6`."""
    plain = " ".join(name.split(" ")[:2]) if name.startswith(OURS) else name
    for content in _modules().values():
        if plain in content.names():
            return content.make(name, knobs, seed, trials, batch)
    raise LookupError(f"nobody searches under the name {name!r}")
