"""Experiments that carry a Tunesmith spec: the space is in a setting, a candidate travels as one text in one parameter."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.aims import Aims
from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.candidate import PARAMETER, PARENT, STOP_RULE, decode, encode
from tunesmith.katib.earlier_studies import read_studies
from tunesmith.katib.plan import OF_THE_SERVICE, ParameterCode, Plan, namespace, read_objective, settings_of, strategy_name
from tunesmith.registry import did_you_mean
from tunesmith.schedulers._scheduler import Scheduler, check_rules, read_scheduler
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate
from tunesmith.spec import Spec, parse_spec
from tunesmith.study import State, Trial

SPEC = "spec"
OFFSET = "offset"
EARLIER = "earlier"
FIRST = "first"
STUDIES = "studies"
FURTHER = (STOP_RULE, PARENT)
OF_THE_CLIENT = (SPEC, OFFSET, EARLIER, FIRST, STUDIES)


@dataclass(frozen=True)
class Packed(ParameterCode):
    """A whole candidate in the parameter `candidate`."""

    def write(self, candidate: Candidate) -> dict[str, str]:
        return {PARAMETER: encode(candidate)}

    def read(self, assigned: Mapping[str, str]) -> dict[str, Value]:
        return decode(assigned.get(PARAMETER, ""))


def is_carried(experiment: api_pb2.Experiment) -> bool:
    """Tell whether an experiment means to carry a spec."""
    names = _parameters(experiment)
    return SPEC in settings_of(experiment) or (PARAMETER in names and names <= {PARAMETER, *FURTHER})


def _parameters(experiment: api_pb2.Experiment) -> set[str]:
    return {parameter.name for parameter in experiment.spec.parameter_specs.parameters}


def read_carried(experiment: api_pb2.Experiment) -> Plan:
    """Return what the experiment's settings ask for; raises SpecError."""
    settings = settings_of(experiment)
    for name in settings:
        if name not in (*OF_THE_CLIENT, *OF_THE_SERVICE):
            allowed = ", ".join(OF_THE_CLIENT)
            near = did_you_mean(name, list(OF_THE_CLIENT))
            raise SpecError(f"algorithmSettings.{name}: unknown key; allowed: {allowed}{near}")
    if SPEC not in settings:
        raise SpecError(f"algorithmSettings.{SPEC}: is missing; needs a search file's content as JSON")
    spec = _read_spec(settings[SPEC])
    _check_strategy(experiment, spec)
    _check_parameters(experiment, spec)
    aims = Aims((read_objective(experiment), *spec.others), spec.constraints)
    return Plan(
        space=spec.space,
        strategy=spec.strategy,
        objective=aims.objectives[0],
        code=Packed(),
        study="\n".join([namespace(), settings[SPEC]]),
        seed=spec.seed,
        offset=_read_offset(settings.get(OFFSET, "0")),
        earlier=_read_earlier(_json(settings.get(EARLIER, "[]"), EARLIER), aims),
        first=_read_first(_json(settings.get(FIRST, "[]"), FIRST)),
        scheduler=_read_scheduler(spec),
        steps=spec.file.evaluation.epochs if spec.file.evaluation.kind == "training" else None,
        others=spec.others,
        constraints=spec.constraints,
        studies=read_studies(_json(settings.get(STUDIES, "[]"), STUDIES)),
        kin=PARENT in _parameters(experiment),
    )


def _read_spec(text: str) -> Spec:
    where = f"algorithmSettings.{SPEC}"
    try:
        content = json.loads(text)
        # A user's code is imported in trial pods only, so it is refused before anything is looked up.
        if isinstance(content, dict) and isinstance(content.get("space"), dict) and content["space"].get("kind") == "code":
            raise SpecError(f"{where}: space.kind: 'code' cannot be searched by Katib; declare the space (kind: parameters)")
        return parse_spec(content, where)
    except json.JSONDecodeError as error:
        raise SpecError(f"{where}: is no JSON ({error})") from None
    except RecursionError:
        raise SpecError(f"{where}: is nested too deeply") from None


def _read_scheduler(spec: Spec) -> Scheduler | None:
    scheduler = read_scheduler(spec.file.scheduler)
    check_rules(scheduler)
    return scheduler


def _check_strategy(experiment: api_pb2.Experiment, spec: Spec) -> None:
    asked, meant = strategy_name(experiment), spec.file.strategy["name"]
    if asked != meant:
        given = experiment.spec.algorithm.algorithm_name
        raise SpecError(f"algorithm.algorithmName: got {given!r}, but the spec's strategy is {meant!r}; name the same in both")


def _check_parameters(experiment: api_pb2.Experiment, spec: Spec) -> None:
    parameters = experiment.spec.parameter_specs.parameters
    # A client that keeps what was edited from what asks for that, too.
    needed = sorted([PARAMETER, *([STOP_RULE] if spec.file.scheduler else []), *({PARENT} & _parameters(experiment))])
    found = [(parameter.name, parameter.parameter_type) for parameter in parameters]
    if sorted(found) != [(name, api_pb2.CATEGORICAL) for name in needed]:
        given = ", ".join(parameter.name for parameter in parameters) or "none"
        words = " and ".join(repr(name) for name in needed)
        raise SpecError(f"parameters: got {given}; needs the categorical {words} alone, the space is in the spec")


def _read_offset(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise SpecError(f"algorithmSettings.{OFFSET}: got {text[:80]!r}; needs a whole number from 0")
    return int(text)


def _json(text: str, name: str) -> list[Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, list):
        raise SpecError(f"algorithmSettings.{name}: got {text[:80]!r}; needs a JSON list")
    return content


def _read_earlier(rows: list[Any], aims: Aims) -> tuple[Trial, ...]:
    """Read rows of number, encoded candidate, state, and the value, or null, of each metric that the search asks for."""
    trials = []
    for row in rows:
        try:
            number, text, state, *values = row
            told = zip(aims.metrics, values, strict=True)
            metrics = {name: float(value) for name, value in told if value is not None}
            trials.append(Trial(int(number), decode(str(text)), State(state), metrics))
        except (TypeError, ValueError):
            needs = f"[number, encoded candidate, state, {', '.join(aims.metrics)}, values null where missing]"
            raise SpecError(f"algorithmSettings.{EARLIER}: got {str(row)[:80]}; each trial is {needs}") from None
    return tuple(trials)


def _read_first(texts: list[Any]) -> tuple[Candidate, ...]:
    return tuple(decode(str(text)) for text in texts)
