"""Reads a request of Katib's as a study.

The list of trials may lack some that were issued: it lags behind by a moment, and trials that ended without metrics never
appear. So every reply leaves those that the list lacked in a setting, which Katib brings back with the next request; the
service itself remembers nothing.
"""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.candidate import PARAMETER, decode, issue_number, trial_name
from tunesmith.registry import did_you_mean
from tunesmith.spec import Spec, parse_spec
from tunesmith.study import Objective, State, StudyView, Trial

SPEC = "spec"
ISSUED = "issued"
GOALS: Mapping[int, str] = {api_pb2.MINIMIZE: "minimize", api_pb2.MAXIMIZE: "maximize"}
STATES: Mapping[int, State] = {
    api_pb2.TrialStatus.SUCCEEDED: State.FINISHED,
    api_pb2.TrialStatus.EARLYSTOPPED: State.STOPPED,
    api_pb2.TrialStatus.FAILED: State.FAILED,
    api_pb2.TrialStatus.KILLED: State.FAILED,
    api_pb2.TrialStatus.METRICSUNAVAILABLE: State.FAILED,
}


def settings_of(experiment: api_pb2.Experiment) -> dict[str, str]:
    """Return the algorithm settings; raises SpecError for an unknown one or a missing spec."""
    settings = {setting.name: setting.value for setting in experiment.spec.algorithm.algorithm_settings}
    for name in settings:
        if name not in (SPEC, ISSUED):
            raise SpecError(f"algorithmSettings.{name}: unknown key; allowed: {SPEC}{did_you_mean(name, [SPEC])}")
    if SPEC not in settings:
        raise SpecError(f"algorithmSettings.{SPEC}: is missing; needs a search file's content as JSON")
    return settings


def read_spec(experiment: api_pb2.Experiment) -> Spec:
    """Return the spec that an experiment carries, with the experiment's objective; raises SpecError."""
    where = f"algorithmSettings.{SPEC}"
    try:
        spec = _parse(json.loads(settings_of(experiment)[SPEC]), where)
    except json.JSONDecodeError as error:
        raise SpecError(f"{where}: is no JSON ({error})") from None
    except RecursionError:
        raise SpecError(f"{where}: is nested too deeply") from None
    _check_parameters(experiment)
    return replace(spec, objective=_objective(experiment.spec.objective))


def _parse(content: object, where: str) -> Spec:
    # A user's code is imported in trial pods only, so it is refused before anything is looked up.
    if isinstance(content, dict) and isinstance(content.get("space"), dict) and content["space"].get("kind") == "code":
        raise SpecError(f"{where}: space.kind: 'code' cannot be searched by Katib; declare the space (kind: parameters)")
    return parse_spec(content, where)


def _check_parameters(experiment: api_pb2.Experiment) -> None:
    parameters = experiment.spec.parameter_specs.parameters
    if [(parameter.name, parameter.parameter_type) for parameter in parameters] != [(PARAMETER, api_pb2.CATEGORICAL)]:
        given = ", ".join(parameter.name for parameter in parameters) or "none"
        raise SpecError(f"parameters: got {given}; needs one categorical parameter {PARAMETER!r}, the space is in the spec")


def _objective(objective: api_pb2.ObjectiveSpec) -> Objective:
    goal = GOALS.get(objective.type)
    if not objective.objective_metric_name:
        raise SpecError("objective.objectiveMetricName: is missing")
    if goal is None:
        raise SpecError(f"objective.type: is missing; one of: {', '.join(GOALS.values())}")
    return Objective(objective.objective_metric_name, "maximize" if goal == "maximize" else "minimize")


def study_view(request: api_pb2.GetSuggestionsRequest, spec: Spec) -> StudyView:
    """Return the study as the request tells it; `spec` is the experiment's."""
    objective = spec.objective or _objective(request.experiment.spec.objective)
    issued = request.total_request_number - request.current_request_number
    listed = _listed(request, objective)
    unlisted = {number: Trial(number, decode(text)) for number, text in still_unlisted(request).items()}
    trials = {**unlisted, **listed}
    return StudyView(spec.space, objective, tuple(trials[number] for number in sorted(trials)), issued, spec.seed)


def still_unlisted(request: api_pb2.GetSuggestionsRequest) -> dict[int, str]:
    """Return the encoded candidates, by issue number, that were issued but that the request does not list; raises SpecError."""
    settings = settings_of(request.experiment)
    listed = {trial.name for trial in request.trials}
    return {
        number: text
        for number, text in _issued(settings.get(ISSUED, "{}")).items()
        if trial_name(request.experiment.name, settings[SPEC], number, text) not in listed
    }


def _issued(text: str) -> dict[int, str]:
    """Read the setting that the last reply left; raises SpecError where it is another's."""
    try:
        content: Any = json.loads(text)
        return {int(number): str(candidate) for number, candidate in content.items()}
    except (ValueError, AttributeError, RecursionError):
        raise SpecError(f"algorithmSettings.{ISSUED}: got {text[:80]!r}; the service sets it by itself, leave it out") from None


def _listed(request: api_pb2.GetSuggestionsRequest, objective: Objective) -> dict[int, Trial]:
    """Return the listed trials by issue number, without those of namesakes in other namespaces, which Katib may list too."""
    experiment = request.experiment.name
    spec = settings_of(request.experiment)[SPEC]
    trials = {}
    for trial in request.trials:
        number = issue_number(trial.name)
        assigned = {item.name: item.value for item in trial.spec.parameter_assignments.assignments}
        encoded = assigned.get(PARAMETER, "")
        if number is None or trial.name != trial_name(experiment, spec, number, encoded):
            logging.getLogger(__name__).warning("%s is no trial of the experiment %s, it is left out", trial.name, experiment)
            continue
        trials[number] = _outcome(Trial(number, decode(encoded)), trial.status, objective)
    return trials


def _outcome(trial: Trial, status: api_pb2.TrialStatus, objective: Objective) -> Trial:
    """Return the trial with its state and metrics; success without a finite objective is a failure."""
    state = STATES.get(status.condition, State.RUNNING)
    metrics = {metric.name: value for metric in status.observation.metrics if math.isfinite(value := _number(metric.value))}
    if state is State.FINISHED and objective.metric not in metrics:
        return replace(trial, state=State.FAILED, metrics=metrics, reason=f"reported no finite {objective.metric}")
    return replace(trial, state=state, metrics=metrics)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
