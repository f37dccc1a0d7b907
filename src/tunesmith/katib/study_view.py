"""Reads a request of Katib's as a study.

The list of trials may lack some that were issued: it lags behind by a moment, and trials that ended without metrics never
appear. So every reply leaves those that the list lacked in a setting, which Katib brings back with the next request; the
service itself remembers nothing.
"""

import json
import logging
import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.candidate import PARENT, STOP_RULE, decode, issue_number, trial_name
from tunesmith.katib.carried import is_carried, read_carried
from tunesmith.katib.plain import read_plain
from tunesmith.katib.plan import ISSUED, Plan, settings_of
from tunesmith.study import State, StudyView, Trial

STATES: Mapping[int, State] = {
    api_pb2.TrialStatus.SUCCEEDED: State.FINISHED,
    api_pb2.TrialStatus.EARLYSTOPPED: State.STOPPED,
    api_pb2.TrialStatus.FAILED: State.FAILED,
    api_pb2.TrialStatus.KILLED: State.FAILED,
    api_pb2.TrialStatus.METRICSUNAVAILABLE: State.FAILED,
}
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A trial of the request, its name, and the stop rule that it was given, as a text."""

    trial: Trial
    name: str
    rule: str = ""


def read_plan(experiment: api_pb2.Experiment) -> Plan:
    """Return what an experiment asks for; raises SpecError in the words of whoever wrote it."""
    return read_carried(experiment) if is_carried(experiment) else read_plain(experiment)


def read_trials(request: api_pb2.GetSuggestionsRequest, plan: Plan) -> list[Listed]:
    """Return the listed trials by number, without those of namesakes in other namespaces, which Katib lists too."""
    experiment = request.experiment.name
    found: dict[int, Listed] = {}
    strangers = 0
    for trial in request.trials:
        number = issue_number(trial.name)
        assigned = {item.name: item.value for item in trial.spec.parameter_assignments.assignments}
        rule = assigned.pop(STOP_RULE, "") if plan.scheduler else ""
        if plan.kin:
            # What a strategy knows of a trial is its candidate and its outcome.
            assigned.pop(PARENT, "")
        if number is None or trial.name != trial_name(plan.study, experiment, number, assigned):
            strangers += 1
            continue
        found[number] = Listed(_outcome(Trial(number, plan.code.read(assigned)), trial.status, plan), trial.name, rule)
    if strangers:
        LOG.debug("%s: %s trials of experiments of the same name are left out", experiment, strangers)
    return [found[number] for number in sorted(found)]


def study_view(request: api_pb2.GetSuggestionsRequest, plan: Plan, listed: Iterable[Trial]) -> StudyView:
    """Return the study as the request tells it; `listed` are its trials."""
    issued = plan.offset + request.total_request_number - request.current_request_number
    known = {trial.number: trial for trial in (*plan.earlier, *listed)}
    unlisted = {number: Trial(number, decode(text)) for number, text in still_unlisted(request, known).items()}
    trials = known | unlisted
    ordered, limits = tuple(trials[number] for number in sorted(trials)), request.experiment.spec
    return StudyView(
        *(plan.space, plan.objective, ordered, issued, plan.seed, plan.first),
        others=plan.others,
        constraints=plan.constraints,
        # Katib's own defaults where the request does not tell: any number of trials, one at a time.
        budget=plan.offset + limits.max_trial_count if limits.max_trial_count else None,
        parallel=max(limits.parallel_trial_count, 1),
        earlier=plan.studies,
    )


def still_unlisted(request: api_pb2.GetSuggestionsRequest, known: Container[int]) -> dict[int, str]:
    """Return the encoded candidates, by number, that were issued but are not `known`; raises SpecError."""
    issued = _issued(settings_of(request.experiment).get(ISSUED, "{}"))
    return {number: text for number, text in issued.items() if number not in known}


def _issued(text: str) -> dict[int, str]:
    """Read the setting that the last reply left; raises SpecError where it is another's."""
    try:
        content: Any = json.loads(text)
        return {int(number): str(candidate) for number, candidate in content.items()}
    except (ValueError, AttributeError, RecursionError):
        raise SpecError(f"algorithmSettings.{ISSUED}: got {text[:80]!r}; the service sets it by itself, leave it out") from None


def _outcome(trial: Trial, status: api_pb2.TrialStatus, plan: Plan) -> Trial:
    """Return the trial with its state and metrics; success without a finite objective is a failure."""
    state = STATES.get(status.condition, State.RUNNING)
    metrics = {metric.name: value for metric in status.observation.metrics if math.isfinite(value := _number(metric.value))}
    missing = [name for name in plan.aims.metrics if name not in metrics]
    if state is State.FINISHED and missing:
        return replace(trial, state=State.FAILED, metrics=metrics, reason=f"reported no finite {missing[0]}")
    return replace(trial, state=state, metrics=metrics)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
