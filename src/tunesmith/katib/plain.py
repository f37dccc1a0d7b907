"""Plain Katib experiments: their parameters are the space, and values are written as Katib's own services write them.

Katib 0.19's services differ in details; where they do, the bounds and steps that the user wrote are kept: no value lies
outside `min` and `max`, whatever the distribution.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.plain_settings import read_settings
from tunesmith.katib.plan import ParameterCode, Plan, namespace, read_objective, settings_of, strategy_name
from tunesmith.spaces._distributions import Choice, Distribution, Int, LogInt, LogNormal, LogUniform, Normal, Uniform, Value
from tunesmith.spaces._space import Candidate
from tunesmith.spaces.parameters import Parameters

# Katib's Hyperopt puts the bounds of a normal distribution three deviations from its mean.
DEVIATIONS = 6
NUMBERS = (api_pb2.DOUBLE, api_pb2.INT)
LISTS = (api_pb2.CATEGORICAL, api_pb2.DISCRETE)


@dataclass(frozen=True)
class Plain(ParameterCode):
    """A value in each parameter; `types` are Katib's by name."""

    types: Mapping[str, int]

    def write(self, candidate: Candidate) -> dict[str, str]:
        return {name: _text(candidate[name], kind) for name, kind in self.types.items()}

    def read(self, assigned: Mapping[str, str]) -> dict[str, Value]:
        return {name: _value(name, assigned, kind) for name, kind in self.types.items()}


@dataclass(frozen=True)
class _WholeNormal(Normal):
    integer: ClassVar[bool] = True


@dataclass(frozen=True)
class _WholeLogNormal(LogNormal):
    integer: ClassVar[bool] = True


def read_plain(experiment: api_pb2.Experiment) -> Plan:
    """Return what a plain experiment asks for; raises SpecError."""
    parameters = list(experiment.spec.parameter_specs.parameters)
    names = [parameter.name for parameter in parameters]
    if experiment.spec.HasField("nas_config"):
        raise SpecError("nasConfig: Tunesmith's algorithms search `parameters`; for networks write a Tunesmith search file")
    if not parameters:
        raise SpecError("parameters: got none; needs at least one")
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"parameters.{name}: duplicate name; every parameter needs a name of its own")
    strategy, seed = read_settings(strategy_name(experiment), settings_of(experiment))
    return Plan(
        space=Parameters({parameter.name: read_parameter(parameter) for parameter in parameters}),
        strategy=strategy,
        objective=read_objective(experiment),
        code=Plain({parameter.name: parameter.parameter_type for parameter in parameters}),
        study="\n".join([namespace(), *(_signature(parameter) for parameter in parameters)]),
        seed=seed,
        repeats=True,
    )


def _signature(parameter: api_pb2.ParameterSpec) -> str:
    """Return a parameter as one text, the same in any version of ours."""
    feasible = parameter.feasible_space
    bounds = [feasible.min, feasible.max, feasible.step, list(feasible.list), feasible.distribution]
    return json.dumps([parameter.name, parameter.parameter_type, *bounds])


def read_parameter(parameter: api_pb2.ParameterSpec) -> Distribution:
    """Return the distribution of one parameter; raises SpecError."""
    where, feasible = f"parameters.{parameter.name}", parameter.feasible_space
    try:
        if parameter.parameter_type in NUMBERS:
            return _read_numbers(parameter.parameter_type == api_pb2.INT, feasible)
        if parameter.parameter_type in LISTS:
            # Texts as they were written; a value listed twice would only be drawn more often.
            return Choice(tuple(dict.fromkeys(feasible.list)))
    except SpecError as error:
        raise SpecError(f"{where}.feasibleSpace: {error}") from None
    raise SpecError(f"{where}.parameterType: is unknown; one of: double, int, discrete, categorical")


def _read_numbers(whole: bool, feasible: api_pb2.FeasibleSpace) -> Distribution:
    low, high = _number(feasible.min, "min", whole), _number(feasible.max, "max", whole)
    step = _number(feasible.step, "step", whole) if feasible.step else None
    if low == high:
        return Choice((int(low) if whole else low,))
    if feasible.distribution in (api_pb2.LOG_UNIFORM, api_pb2.LOG_NORMAL) and low <= 0:
        raise SpecError(f"min: got {feasible.min}; a logarithmic distribution needs a number above 0")
    if feasible.distribution in (api_pb2.NORMAL, api_pb2.LOG_NORMAL):
        return _bell(low, high, step, whole, feasible.distribution == api_pb2.LOG_NORMAL)
    if feasible.distribution == api_pb2.LOG_UNIFORM:
        return LogInt(low, high, step or 1) if whole else LogUniform(low, high, step)
    return Int(low, high, step or 1) if whole else Uniform(low, high, step)


def _bell(low: float, high: float, step: float | None, whole: bool, logarithmic: bool) -> Distribution:
    ends = (math.log(low), math.log(high)) if logarithmic else (low, high)
    mean, deviation = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / DEVIATIONS
    kinds = (_WholeNormal, _WholeLogNormal) if whole else (Normal, LogNormal)
    return kinds[logarithmic](mean, deviation, step or (1 if whole else None), (low, high))


def _number(text: str, name: str, whole: bool) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (whole and number % 1 != 0):
        raise SpecError(f"{name}: got {text!r}; needs a {'whole ' if whole else ''}number")
    return number


def _text(value: Value, kind: int) -> str:
    if kind == api_pb2.INT:
        return str(int(value or 0))
    return repr(float(value or 0)) if kind == api_pb2.DOUBLE else str(value)


def _value(name: str, assigned: Mapping[str, str], kind: int) -> Value:
    text = assigned.get(name, "")
    try:
        if kind in NUMBERS:
            return int(text) if kind == api_pb2.INT else float(text)
    except ValueError:
        raise SpecError(f"parameters.{name}: got {text!r}; needs a number") from None
    return text
