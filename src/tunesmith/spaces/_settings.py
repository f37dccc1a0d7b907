"""Keys of a space that are either searched or not: a distribution, or one value."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean
from tunesmith.spaces._distributions import Choice, Distribution, Value, parse

Setting = Distribution | Value


@dataclass(frozen=True)
class Rule:
    """A key's default, how one value is read (ValueError where it is not allowed), and what is allowed, in words."""

    default: Setting
    read: Callable[[Any], Value]
    allowed: str


def number(low: float, high: float, whole: bool = False) -> Callable[[Any], Value]:
    """Return a reader of numbers from `low` to below `high`; YAML reads 1e-4 (no dot) as a text, so that is a number too."""

    def read(value: Any) -> Value:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if not low <= number < high or (whole and int(number) != number):
            raise ValueError
        return int(number) if whole else number

    return read


def one_of(options: Sequence[str]) -> Callable[[Any], Value]:
    """Return a reader of one of several texts."""

    def read(value: Any) -> Value:
        if value not in options:
            raise ValueError
        return value

    return read


def truth(value: Any) -> Value:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueError
    return value


def whole_rule(default: Setting, high: int) -> Rule:
    """Return the rule of whole numbers from 1 to `high`."""
    return Rule(default, number(1, high + 1, whole=True), f"whole numbers from 1 to {high}")


def read_fields(space: Any, rules: Mapping[str, Rule]) -> None:
    """Read the fields of a frozen dataclass that have rules, where None stands for the default; raises SpecError as below."""
    for name, rule in rules.items():
        given = getattr(space, name)
        object.__setattr__(space, name, rule.default if given is None else read_setting(given, name, rule))


def json_fields(space: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as keys of the search file, without those that are None."""
    values = {field.name: getattr(space, field.name) for field in fields(space)}
    return {
        name: each.to_json() if isinstance(each, Distribution) else each for name, each in values.items() if each is not None
    }


def settled_fields(space: Any, names: Iterable[str]) -> dict[str, Value]:
    """Return those of the fields that hold one value and are not searched."""
    values = {name: getattr(space, name) for name in names}
    return {name: each for name, each in values.items() if not isinstance(each, Distribution)}


def decide(space: Any, names: Iterable[str], choose: Callable[[str, Distribution], Any]) -> dict[str, Any]:
    """Return a value for each of the fields, chosen where it is searched."""
    settings = {name: getattr(space, name) for name in names}
    return {name: choose(name, each) if isinstance(each, Distribution) else each for name, each in settings.items()}


def read_setting(given: Any, name: str, rule: Rule) -> Setting:
    """Read a distribution or a single value; raises SpecError where one of its values is not allowed."""
    if not isinstance(given, Distribution | Mapping):
        return read_value(given, name, rule)
    distribution = parse(given, name)
    if isinstance(distribution, Choice):
        return Choice(tuple(read_value(option, name, rule) for option in distribution.options))
    for end in (distribution.quantile(0.0), distribution.quantile(1.0)):
        try:
            same_type = type(rule.read(end)) is type(end)
        except ValueError:
            reaches = f"{distribution.describe()}, which reaches {end:.4g}"
            raise SpecError(f"{name}: got {reaches}; allowed: {rule.allowed} (clip: [low, high] bounds it)") from None
        if not same_type:
            raise SpecError(f"{name}: got {distribution.describe()}; allowed: {rule.allowed} (use int, logint or choice)")
    return distribution


def read_value(value: Any, name: str, rule: Rule) -> Value:
    """Read a single value; raises SpecError where it is not allowed."""
    try:
        return rule.read(value)
    except (TypeError, ValueError):
        near = did_you_mean(value, rule.allowed.split(", ")) if isinstance(value, str) else ""
        raise SpecError(f"{name}: got {value!r}; allowed: {rule.allowed}{near}") from None
