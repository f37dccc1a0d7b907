"""The places of a search file where a parameter's distribution is written, found in and put back into the space's JSON form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunesmith.spaces._distributions import Choice, Distribution, Int, LogUniform, Uniform, Value, parse
from tunesmith.study import Trial

LAYER_COUNTS = ("convs", "dense")
# A positive number whose largest value is this many times its smallest is best seen on a logarithmic scale.
LOG_FROM = 100
REWRITABLE = ("parameters", "layers")


@dataclass(frozen=True)
class Key:
    """A distribution of the search file and the parameters that are drawn from it.

    `shared`: it also decides every parameter whose last part has its name, as `filters` does `conv1.filters`. `opens`: its
    options open further parameters. `seen`: the file does not tell the range, it is that of the trials.
    """

    name: str
    distribution: Distribution
    shared: bool = False
    opens: bool = False
    seen: bool = False

    def decides(self, parameter: str) -> bool:
        """Tell whether a candidate's parameter is drawn from this distribution."""
        return parameter == self.name or (self.shared and parameter.endswith(f".{self.name}"))

    def values(self, trial: Trial) -> list[Value]:
        """Return the values that a trial has of it, none where it is inactive there."""
        found = (value for name, value in trial.candidate.items() if self.decides(name))
        return [value for value in found if self.distribution.contains(value)]

    def units(self, trials: Iterable[Trial]) -> np.ndarray:
        """Return all values that the trials have of it, as positions in the unit interval."""
        return self.distribution.cdf([value for trial in trials for value in self.values(trial)])


def read_keys(form: Mapping[str, Any], trials: Iterable[Trial]) -> list[Key]:
    """Return the searched keys of a space, given as its JSON form; those of a user's function are read from the trials."""
    if form["kind"] == "parameters":
        found = list(_tree_keys(form["parameters"]))
    elif form["kind"] == "layers":
        found = list(_layer_keys(form))
    else:
        found = _seen_keys(trials)
    return [key for key in found if key.distribution.size > 1]


def _tree_keys(tree: Mapping[str, Any]) -> Iterable[Key]:
    for name, node in tree.items():
        if not isinstance(node.get("choice"), Mapping):
            yield Key(name, parse(node, name))
            continue
        yield Key(name, Choice(tuple(node["choice"])), opens=True)
        for inner in node["choice"].values():
            yield from _tree_keys(inner)


def _layer_keys(form: Mapping[str, Any]) -> Iterable[Key]:
    for name, value in form.items():
        if name in LAYER_COUNTS and value[0] < value[1]:
            yield Key(name, Int(*value))
        elif isinstance(value, Mapping):
            yield Key(name, parse(value, name), shared=True)


def _seen_keys(trials: Iterable[Trial]) -> list[Key]:
    values: dict[str, list[Value]] = {}
    for trial in trials:
        for name, value in trial.candidate.items():
            values.setdefault(name, []).append(value)
    return [Key(name, _seen(found), seen=True) for name, found in values.items()]


def _seen(values: list[Value]) -> Distribution:
    """Return a range of numbers that holds the values, or a choice of them."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    options = dict.fromkeys((type(value), value) for value in values)
    low, high = (min(numbers), max(numbers)) if numbers else (0, 0)
    if len(numbers) < len(values) or low == high:
        return Choice(tuple(value for _, value in options))
    if all(isinstance(value, int) for value in numbers):
        return Int(int(low), int(high))
    return LogUniform(low, high) if low > 0 and high >= LOG_FROM * low else Uniform(low, high)


def write_keys(form: Mapping[str, Any], changed: Mapping[str, Distribution]) -> dict[str, Any]:
    """Return the space's JSON form with other distributions at some of its keys; inner parameters of lost options go too.

    A choice of one option is a fixed value, which `layers` takes as it is.
    """
    if form["kind"] == "parameters":
        return {**form, "parameters": _write_tree(form["parameters"], changed)}
    return {**form, **{name: _layer_value(name, distribution) for name, distribution in changed.items()}}


def _write_tree(tree: Mapping[str, Any], changed: Mapping[str, Distribution]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, node in tree.items():
        after = changed.get(name)
        if not isinstance(node.get("choice"), Mapping):
            written[name] = after.to_json() if after else node
            continue
        kept = after.options if isinstance(after, Choice) else tuple(node["choice"])
        written[name] = {"choice": {str(option): _write_tree(node["choice"][option], changed) for option in kept}}
    return written


def _layer_value(name: str, distribution: Distribution) -> Any:
    if distribution.size == 1:
        only = distribution.value_at(0)
        return [only, only] if name in LAYER_COUNTS else only
    if name in LAYER_COUNTS:
        return [distribution.quantile(0.0), distribution.quantile(1.0)]
    return distribution.to_json()
