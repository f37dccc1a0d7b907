"""A user's own `build(choose)` function as a search space: what it chooses, in its order, is the space."""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.code import load_function
from tunesmith.spaces._space import Chooser, Space


@dataclass(frozen=True)
class Code(Space):
    """The space of `build`, a function or the place of one (`model.py:build`, `package.module:build`).

    `build(choose)` returns a Keras model, or a `tunesmith.Training` with the model's batch size and epochs.
    """

    build: str | Callable[[Chooser], Any]

    def __post_init__(self) -> None:
        self.function()

    def function(self) -> Callable[[Chooser], Any]:
        """Return the user's function; raises SpecError where it cannot be found."""
        return load_function(self.build, "space.build") if isinstance(self.build, str) else self.build

    def define(self, choose: Chooser) -> Any:
        return self.function()(choose)

    def to_json(self) -> dict[str, Any]:
        place = self.build if isinstance(self.build, str) else self.function().__qualname__
        return {"kind": "code", "build": place, "sha256": _source_hash(self.function())}


def _source_hash(function: Callable[..., Any]) -> str:
    """Hash the function's file, so that a study notices when its space was edited."""
    try:
        source = Path(inspect.getsourcefile(function) or "").read_bytes()
    except (OSError, TypeError):
        source = function.__code__.co_code
    return hashlib.sha256(source).hexdigest()[:16]
