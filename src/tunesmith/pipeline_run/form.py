"""A pipeline's parameters: read from texts as its form in the Kubeflow UI would, checked against their types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.errors import SpecError
from tunesmith.pipeline_run.arguments import with_whole_numbers
from tunesmith.registry import did_you_mean
from tunesmith.yaml_text import read_yaml

if TYPE_CHECKING:
    from kfp.dsl.base_component import BaseComponent

# kfp.local puts the interpreter's path wherever this word stands in an argument.
FORBIDDEN = "python3"


def arguments_of(pipeline: "BaseComponent", texts: Sequence[str]) -> dict[str, Any]:
    """Return all arguments of a pipeline, given `NAME=VALUE` texts; raises SpecError for the first mistake."""
    types = parameter_types(pipeline)
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise SpecError(f"{text}: needs NAME=VALUE")
        _check_name(pipeline, name)
        given[name] = _read(name, types[name], value)
    return complete(pipeline, given)


def complete(pipeline: "BaseComponent", arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the defaults of those not given; raises SpecError for one unknown or missing."""
    for name in arguments:
        _check_name(pipeline, name)
    inputs = pipeline.component_spec.inputs or {}
    missing = [name for name, given in inputs.items() if name not in arguments and not given.optional]
    if missing:
        raise SpecError(f"{missing[0]}: is missing; the pipeline {pipeline.name} cannot do without it")
    types = parameter_types(pipeline)
    return {name: _typed(name, types[name], arguments.get(name, given.default)) for name, given in inputs.items()}


def refuse_garbled(arguments: Mapping[str, Any]) -> None:
    """Raise SpecError for an argument that would reach a local run's steps as another text."""
    for name, value in arguments.items():
        _check_word(name, value)


def parameter_types(pipeline: "BaseComponent") -> dict[str, str]:
    """Return the type of each parameter by its name: STRING, NUMBER_INTEGER, NUMBER_DOUBLE, BOOLEAN, LIST or STRUCT."""
    from google.protobuf.json_format import MessageToDict

    spec: Any = pipeline.pipeline_spec
    parameters = MessageToDict(spec.root.input_definitions).get("parameters", {})
    return {name: parameter["parameterType"] for name, parameter in parameters.items()}


def _check_name(pipeline: "BaseComponent", name: str) -> None:
    names = list(pipeline.component_spec.inputs or {})
    if name not in names:
        raise SpecError(
            f"{name}: is no parameter of the pipeline {pipeline.name}; allowed: {', '.join(names)}{did_you_mean(name, names)}"
        )


def _read(name: str, kind: str, text: str) -> Any:
    kind_of_value = _KINDS[kind]
    try:
        return kind_of_value.read(text)
    except (ValueError, KeyError, SpecError):
        raise SpecError(f"{name}: got {text!r}; needs {kind_of_value.needed}") from None


def _typed(name: str, kind: str, value: Any) -> Any:
    """Return a value as kfp wants it; raises SpecError where it is of another type than its parameter."""
    value = float(value) if kind == "NUMBER_DOUBLE" and type(value) is int else value
    if type(value) is not _KINDS[kind].type:
        raise SpecError(f"{name}: got {value!r}; needs {_KINDS[kind].needed}")
    return with_whole_numbers(value) if kind in ("LIST", "STRUCT") else value


def _collection(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = read_yaml(text, "")
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return read


@dataclass(frozen=True)
class _Kind:
    """A type of parameters: its values' type in Python, how to read one from a text, and what to tell who gives another."""

    type: type
    read: Callable[[str], Any]
    needed: str


_KINDS = {
    "STRING": _Kind(str, str, "a text"),
    "NUMBER_INTEGER": _Kind(int, int, "a whole number"),
    "NUMBER_DOUBLE": _Kind(float, float, "a number"),
    "BOOLEAN": _Kind(bool, lambda text: {"true": True, "false": False}[text.lower()], "true or false"),
    "LIST": _Kind(list, _collection(list), "a list, such as [1, 2]"),
    "STRUCT": _Kind(dict, _collection(dict), 'a dictionary, such as {"kind": "layers"}'),
}


def _check_word(name: str, value: Any) -> None:
    inner = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    for part in inner:
        _check_word(name, part)
    if isinstance(value, str) and FORBIDDEN in value:
        raise SpecError(f"{name}: got {value!r}; a local run cannot pass a text with {FORBIDDEN!r} in it, give it another name")
