"""Requests as Katib makes them, for the tests of how they are read."""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.katib import api_pb2
from tunesmith.katib.candidate import encode, trial_name
from tunesmith.katib.study_view import read_plan

SPEC: dict[str, Any] = {
    "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}},
    "strategy": {"name": "tpe", "seed": 5, "startup": 3},
    "evaluation": {"kind": "function", "function": "a.py:f"},
}
TEXT = json.dumps(SPEC)
Status = api_pb2.TrialStatus
TYPES = {
    "double": api_pb2.DOUBLE,
    "int": api_pb2.INT,
    "categorical": api_pb2.CATEGORICAL,
    "discrete": api_pb2.DISCRETE,
    "unknown": api_pb2.UNKNOWN_TYPE,
}
DISTRIBUTIONS = {
    "uniform": api_pb2.UNIFORM,
    "logUniform": api_pb2.LOG_UNIFORM,
    "normal": api_pb2.NORMAL,
    "logNormal": api_pb2.LOG_NORMAL,
}


def bare(algorithm: str, settings: Mapping[str, str], name: str = "exp") -> api_pb2.Experiment:
    """An experiment without parameters."""
    made = api_pb2.Experiment(name=name)
    made.spec.objective.objective_metric_name = "val_accuracy"
    made.spec.objective.type = api_pb2.MAXIMIZE
    made.spec.algorithm.algorithm_name = algorithm
    for key, value in settings.items():
        made.spec.algorithm.algorithm_settings.add(name=key, value=value)
    return made


def carried(spec: str | None = TEXT, algorithm: str = "tunesmith-tpe", **settings: str) -> api_pb2.Experiment:
    """An experiment that carries a spec."""
    made = bare(algorithm, ({"spec": spec} if spec is not None else {}) | settings)
    for name in ["candidate", *(["stop_rule"] if "scheduler" in (spec or "") else [])]:
        _add_placeholder(made, name)
    return made


def asking_for_parents(experiment: api_pb2.Experiment) -> api_pb2.Experiment:
    """The experiment, asking also which trial a candidate was edited from."""
    _add_placeholder(experiment, "parent")
    return experiment


def _add_placeholder(experiment: api_pb2.Experiment, name: str) -> None:
    parameter = experiment.spec.parameter_specs.parameters.add(name=name, parameter_type=api_pb2.CATEGORICAL)
    parameter.feasible_space.list.append("auto")


def plain(
    parameters: Mapping[str, Mapping[str, Any]], algorithm: str = "tunesmith-random", **settings: str
) -> api_pb2.Experiment:
    """A plain experiment; `parameters` as a YAML has them: `{"lr": {"type": "double", "min": "0", "max": "1"}}`."""
    made = bare(algorithm, settings)
    for name, form in parameters.items():
        parameter = made.spec.parameter_specs.parameters.add(name=name, parameter_type=TYPES[form["type"]])
        parameter.feasible_space.list.extend(form.get("list", []))
        for key in ("min", "max", "step"):
            setattr(parameter.feasible_space, key, form.get(key, ""))
        if "distribution" in form:
            parameter.feasible_space.distribution = DISTRIBUTIONS[form["distribution"]]
    return made


def trial_of(experiment: api_pb2.Experiment, number: int, assigned: Mapping[str, str], condition: int, **metrics: str) -> Any:
    """A trial as Katib lists it, named as the service named it."""
    plan = read_plan(experiment)
    name = trial_name(plan.study, experiment.name, number, assigned)
    made = api_pb2.Trial(name=name, status=Status(condition=condition))  # type: ignore[arg-type]  # an enum's number
    for key, value in assigned.items():
        made.spec.parameter_assignments.assignments.add(name=key, value=value)
    for key, value in metrics.items():
        made.status.observation.metrics.add(name=key, value=value)
    return made


def trial(number: int, condition: int, **metrics: str) -> api_pb2.Trial:
    """A trial of the experiment `carried()`."""
    return trial_of(carried(), number, {"candidate": encode({"x": number / 100})}, condition, **metrics)
