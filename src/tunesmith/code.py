"""Loads a user's function by the place of it (`file.py:function`, `package.module:function`), and tells when it was edited."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import cloudpickle

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


def source_hash(function: Callable[..., Any]) -> str:
    """Return 16 hexadecimal digits, the same in every process, by which a study notices that its function was edited.

    A function of a module counts with its whole file. One of the main program, one inside another function and a lambda
    count alone, since what stands around them is the call of the search.
    """
    function = inspect.unwrap(getattr(function, "func", function))
    plain = function if inspect.isroutine(function) or inspect.isclass(function) else type(function).__call__
    return hashlib.sha256(_source(plain)).hexdigest()[:16]


def _source(function: Any) -> bytes:
    """Return the function's file, its own lines, or what it was compiled to where there are no lines or not its alone."""
    name = getattr(function, "__qualname__", "")
    try:
        if function.__module__ != "__main__" and "<" not in name:
            return Path(inspect.getsourcefile(function) or "").read_bytes()
        if not name.endswith("<lambda>"):
            return textwrap.dedent(inspect.getsource(function)).encode()
    except (OSError, TypeError, AttributeError):
        pass
    code = getattr(function, "__code__", None)
    defaults = [value for value in getattr(function, "__defaults__", None) or () if isinstance(value, bool | int | float | str)]
    return f"{_compiled(code)} {defaults}".encode() if code else b""


def _compiled(code: CodeType) -> str:
    """Return a text of what `code` does, without its place; a set's order differs from process to process."""
    constants = [
        _compiled(item)
        if isinstance(item, CodeType)
        else repr(sorted(map(repr, item)) if isinstance(item, frozenset) else item)
        for item in code.co_consts
    ]
    return repr((code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars))


def _load_module(source: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(source)
    except ModuleNotFoundError as error:
        raise SpecError(f"{where}: cannot import {source!r} ({error})") from None


def _load_file(path: Path, where: str) -> ModuleType:
    path = path.resolve()
    if not path.is_file():
        raise SpecError(f"{where}: there is no file {path}")
    # The same in every process: what is pickled by reference must be found again.
    name = f"tunesmith_user_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SpecError(f"{where}: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # Workers cannot import it by this name, so what it defines is sent to them whole.
    cloudpickle.register_pickle_by_value(module)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise SpecError(f"{where}: {path}:{error.lineno}: {error.msg}") from None
    except Exception as error:
        del sys.modules[name]
        raise SpecError(f"{where}: {path}:{_line(error, path)}: {type(error).__name__}: {error}") from error
    return module


def _line(error: Exception, path: Path) -> int:
    """The line of the user's file that was running when `error` was raised."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] or 0 if lines else 0
