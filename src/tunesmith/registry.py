"""Finds implementations by their file name: a module without a leading underscore is an entry of its package.

Each such module defines exactly one final class deriving from the seam's base class, a frozen dataclass whose fields are its
settings; the spec's words, the validation messages and the documentation derive from it.
"""

import dataclasses
import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from tunesmith.errors import SpecError

T = TypeVar("T")


def discover(package: str) -> list[str]:
    """Return the sorted names of all implementations in `package` (a dotted module name)."""
    path = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_"))


def load(package: str, name: str, base: type[T], where: str = "name") -> type[T]:
    """Return the class that implements `name`; raises SpecError naming `where` and the allowed names."""
    names = discover(package)
    if name not in names:
        raise SpecError(f"{where}: {name!r} is unknown; allowed: {', '.join(names)}{did_you_mean(name, names)}")
    module = importlib.import_module(f"{package}.{name}")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} must define exactly one {base.__name__}, not {len(found)}")
    return found[0]


def build(package: str, name: str, base: type[T], settings: Mapping[str, Any], where: str) -> T:
    """Make the implementation `name` with `settings`, checked against its fields; raises SpecError in the user's words."""
    return configure(load(package, name, base, where), settings, where)


def configure(cls: type[T], settings: Mapping[str, Any], where: str) -> T:
    """Make `cls` (a frozen dataclass) from untrusted `settings`; every error names the path below `where`."""
    try:
        checked = _settings_model(cls).model_validate(dict(settings))
    except ValidationError as error:
        raise SpecError(explain(error, where, [field.name for field in _fields(cls)])) from None
    try:
        return cls(**{name: getattr(checked, name) for name in settings})
    except SpecError as error:
        raise SpecError("\n".join(f"{where}.{line}" for line in str(error).splitlines())) from None


def _settings_model(cls: type) -> type[BaseModel]:
    """Return the pydantic model of a dataclass' fields."""
    hints = get_type_hints(cls)
    fields: dict[str, Any] = {field.name: (hints[field.name], _default(field)) for field in _fields(cls)}
    return create_model(cls.__name__, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields)


def _fields(cls: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return Field(default_factory=field.default_factory)
    return ... if field.default is dataclasses.MISSING else field.default


def did_you_mean(word: object, allowed: list[str]) -> str:
    """Return ' (did you mean ...?)' for a near miss, else an empty string."""
    close = difflib.get_close_matches(str(word), allowed, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def explain(error: ValidationError, where: str, known: list[str]) -> str:
    """Turn pydantic's errors into lines of 'path: value: problem'."""
    lines = []
    for item in error.errors():
        path = ".".join([where, *(str(part) for part in item["loc"])]).strip(".")
        if item["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            lines.append(f"{path}: unknown key; allowed: {', '.join(known)}{did_you_mean(item['loc'][-1], known)}")
        elif item["type"] in ("missing", "missing_argument"):
            lines.append(f"{path}: is missing")
        else:
            lines.append(f"{path}: got {item['input']!r}: {item['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)
