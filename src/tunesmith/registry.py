"""Finds implementations by their file name: a module without a leading underscore is an entry of its package.

Each such module defines exactly one final class deriving from the seam's base class, a frozen dataclass whose fields are its
settings; the spec's words, the validation messages and the documentation derive from it.
"""

import dataclasses
import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, create_model, field_validator

from tunesmith.errors import SpecError

T = TypeVar("T")


class Checked(BaseModel):
    """Untrusted settings: an unknown key is an error, and so is true or false where a number is asked for.

    A text is no whole number, unless the validation's context says that all settings come as `texts`. It may be a number with
    a fraction, since YAML reads 1e-4 as a text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @field_validator("*", mode="before")
    @classmethod
    def _nothing_else_for_a_number(cls, value: object, info: ValidationInfo) -> object:
        asked = cls.model_fields[info.field_name or ""].annotation
        types = {asked, *get_args(asked)}
        if isinstance(value, bool) and {int, float} & types and bool not in types:
            raise ValueError("needs a number")
        if isinstance(value, str) and int in types and not {float, str} & types and not (info.context or {}).get("texts"):
            raise ValueError("Input should be a valid integer, not a text")
        return value


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


def configure(cls: type[T], settings: Mapping[str, Any], where: str, texts: bool = False) -> T:
    """Make `cls` (a frozen dataclass) from untrusted `settings`; every error names the path below `where`.

    texts: all values come as texts, numbers, too.
    """
    try:
        checked = _settings_model(cls).model_validate(dict(settings), context={"texts": texts})
    except ValidationError as error:
        raise SpecError(explain(error, where, [field.name for field in _fields(cls)])) from None
    try:
        return cls(**{name: getattr(checked, name) for name in settings})
    except SpecError as error:
        raise SpecError("\n".join(f"{where}.{line}" for line in str(error).splitlines())) from None


@lru_cache(maxsize=256)
def _settings_model(cls: type) -> type[BaseModel]:
    """Return the pydantic model of a dataclass' fields."""
    hints = get_type_hints(cls)
    fields: dict[str, Any] = {field.name: (hints[field.name], _default(field)) for field in _fields(cls)}
    return create_model(cls.__name__, __base__=Checked, **fields)


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
    return "\n".join(explain_one(item, where, known) for item in error.errors())


def explain_one(item: Mapping[str, Any], where: str, known: list[str]) -> str:
    """Turn one of pydantic's errors into 'path: value: problem'; `known` are the keys allowed where it happened."""
    path = ".".join([where, *(str(part) for part in item["loc"] if part != "[key]")]).strip(".")
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key; allowed: {', '.join(known)}{did_you_mean(item['loc'][-1], known)}"
    if item["type"] == "missing":
        return f"{path}: is missing"
    if item["type"] in ("model_type", "dict_type", "mapping_type"):
        return f"{path}: got {item['input']!r}: needs keys with values, such as {{key: value}}"
    return f"{path}: got {item['input']!r}: {item['msg'].removeprefix('Value error, ')}"
