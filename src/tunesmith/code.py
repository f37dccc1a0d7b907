"""Loads a user's function by the place of it: `file.py:function` or `package.module:function`."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tunesmith.errors import SpecError


def load_function(place: str, where: str, folder: Path | None = None) -> Callable[..., Any]:
    """Return the function at `place`; a file is looked up beside `folder`. Raises SpecError naming `where`."""
    source, _, name = place.rpartition(":")
    if not source or not name:
        raise SpecError(f"{where}: got {place!r}; needs file.py:function or package.module:function")
    module = _load_file(Path(folder or ".") / source, where) if source.endswith(".py") else _load_module(source, where)
    function = getattr(module, name, None)
    if not callable(function):
        raise SpecError(f"{where}: {source} has no function {name!r}")
    return function


def _load_module(source: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(source)
    except ModuleNotFoundError as error:
        raise SpecError(f"{where}: cannot import {source!r} ({error})") from None


def _load_file(path: Path, where: str) -> ModuleType:
    path = path.resolve()
    if not path.is_file():
        raise SpecError(f"{where}: there is no file {path}")
    name = f"tunesmith_user_{path.stem}_{abs(hash(str(path)))}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SpecError(f"{where}: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise SpecError(f"{where}: {path}:{error.lineno}: {error.msg}") from None
    return module
