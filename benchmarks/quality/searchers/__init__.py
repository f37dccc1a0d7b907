"""Who searches: our strategies and the peers, one module a library; a new peer is a new file.

A module has `REQUIRES`, the package it needs, and `names()`, and `make(name, knobs, seed, trials, batch)` returns a searcher;
`ALSO`, where it is there, is what single ones of the names need besides.
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
        lacking = {name: _lacking(content, name) for name in content.names()}
        if there := [name for name, package in lacking.items() if not package]:
            found[module] = there
        for package in sorted({package for package in lacking.values() if package}):
            without = ", ".join(name for name in lacking if lacking[name] == package)
            missing.append(f"{without} ({package} is not installed)")
    return found, missing


def _lacking(content: Any, name: str) -> str:
    """Return a package that a name needs and that is not installed, or ''."""
    also = getattr(content, "ALSO", {}).get(name, content.REQUIRES)
    return next((package for package in (content.REQUIRES, also) if find_spec(package) is None), "")


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> Searcher:
    """Return the searcher of that name, of ours with settings: `tunesmith tpe` or `tunesmith tpe gamma=0.2,startup=6`."""
    plain = " ".join(name.split(" ")[:2]) if name.startswith(OURS) else name
    for content in _modules().values():
        if plain in content.names():
            return content.make(name, knobs, seed, trials, batch)
    raise LookupError(f"nobody searches under the name {name!r}")
