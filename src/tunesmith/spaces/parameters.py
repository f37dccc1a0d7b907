"""Named parameters with distributions, nested where one only matters under another's option."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.spaces._distributions import Choice, Distribution, Value, parse
from tunesmith.spaces._space import Chooser, Space


@dataclass(frozen=True)
class Branches:
    """A choice of which each option opens further parameters."""

    choice: Choice
    inner: Mapping[str, Mapping[str, "Distribution | Branches"]]


Tree = Mapping[str, Distribution | Branches]


@dataclass(frozen=True)
class Parameters(Space):
    """A dictionary of parameters: `{lr: {loguniform: [1e-4, 0.1]}, optimizer: {choice: {sgd: {momentum: ...}, adam: {}}}}`.

    A candidate holds the active parameters only, in one flat dictionary.
    """

    parameters: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", _read_tree(self.parameters, "parameters", set()))

    def define(self, choose: Chooser) -> dict[str, Value]:
        _choose_tree(self.parameters, choose)
        return dict(choose.candidate)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "parameters", "parameters": _write_tree(self.parameters)}


def _read_tree(form: object, where: str, names: set[str]) -> dict[str, Distribution | Branches]:
    if not isinstance(form, Mapping):
        raise SpecError(f"{where}: got {form!r}; needs a dictionary of parameters")
    if where == "parameters" and not form:
        raise SpecError(f"{where}: is empty; needs at least one parameter")
    tree: dict[str, Distribution | Branches] = {}
    for name, value in form.items():
        if not isinstance(name, str) or not name:
            raise SpecError(f"{where}: got {name!r} as a parameter's name; a name is a text")
        if name in names:
            raise SpecError(f"{where}.{name}: duplicate name; every parameter of a space needs a name of its own")
        names.add(name)
        tree[name] = _read_node(value, f"{where}.{name}", names)
    return tree


def _read_node(value: object, where: str, names: set[str]) -> Distribution | Branches:
    if isinstance(value, Branches):
        value = {"choice": value.inner}
    if not isinstance(value, Mapping) or not isinstance(value.get("choice"), Mapping):
        return parse(value, where)
    if len(value) > 1:
        raise SpecError(f"{where}: got {list(value)}; a choice with nested parameters has no other keys")
    options = value["choice"]
    if not options:
        raise SpecError(f"{where}.choice: is empty; needs at least one option")
    inner: dict[str, Mapping[str, Distribution | Branches]] = {}
    for option, nested in options.items():
        # A key of JSON is a text, and YAML reads on, off, yes and no as true and false.
        if not isinstance(option, str):
            raise SpecError(f"{where}.choice: got {option!r}; an option with parameters of its own is a text (in quotes)")
        inner[option] = _read_tree({} if nested is None else nested, f"{where}.{option}", names)
    return Branches(Choice(tuple(inner)), inner)


def _choose_tree(tree: Tree, choose: Chooser) -> None:
    for name, node in tree.items():
        if isinstance(node, Distribution):
            choose(name, node)
            continue
        _choose_tree(node.inner[choose(name, node.choice)], choose)


def _write_tree(tree: Tree) -> dict[str, Any]:
    return {name: node.to_json() if isinstance(node, Distribution) else _write_branches(node) for name, node in tree.items()}


def _write_branches(node: Branches) -> dict[str, Any]:
    return {"choice": {option: _write_tree(nested) for option, nested in node.inner.items()}}


def branches(options: Mapping[str, Mapping[str, Any]] | Sequence[Value]) -> Distribution | Branches:
    """Return a choice: of plain options, or of ones that open further parameters (`{"sgd": {"momentum": uniform(0, 1)}}`)."""
    if isinstance(options, Mapping):
        node = _read_node({"choice": options}, "choice", set())
        assert isinstance(node, Branches)
        return node
    return Choice(tuple(options))
