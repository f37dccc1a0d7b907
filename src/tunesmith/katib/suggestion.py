"""Katib's suggestion service, answered by a strategy: every answer depends on its request alone, a restart changes nothing."""

import json
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import grpc

from tunesmith.errors import SpaceExhausted, SpecError
from tunesmith.katib import api_pb2, api_pb2_grpc, metrics
from tunesmith.katib.candidate import PARENT, STOP_RULE, encode, encode_parent, trial_name
from tunesmith.katib.curves import Curves, RuleOf, with_rule
from tunesmith.katib.environment import DB_MANAGER, DEFAULT_DB_MANAGER, PROPOSE_SECONDS
from tunesmith.katib.plan import FALLBACK, ISSUED, PREFIX, Plan, settings_of
from tunesmith.katib.proposer import Answer, Proposer
from tunesmith.katib.study_view import read_plan, read_trials, still_unlisted, study_view
from tunesmith.registry import discover

LOG = logging.getLogger(__name__)
# After so many seconds Katib's database counts as away; no answer waits so long.
DATABASE_SECONDS = 5.0


class SuggestionService(api_pb2_grpc.SuggestionServicer):
    """Proposes trials for experiments with the algorithms `tunesmith-<strategy>`."""

    def __init__(self) -> None:
        self._proposer = Proposer(_seconds(os.environ.get(PROPOSE_SECONDS)))
        self._algorithms = {PREFIX + name for name in discover("tunesmith.strategies")}

    @cached_property
    def _curves(self) -> Curves:
        from tunesmith.katib.observations import Observations

        return Curves(Observations(os.environ.get(DB_MANAGER, DEFAULT_DB_MANAGER), patience=DATABASE_SECONDS).curve)

    def GetSuggestions(  # noqa: N802 (Katib's name)
        self, request: api_pb2.GetSuggestionsRequest, context: grpc.ServicerContext
    ) -> api_pb2.GetSuggestionsReply:
        """Return exactly as many proposals as were asked for; OUT_OF_RANGE once the space of a Tunesmith spec is exhausted."""
        with self._call("GetSuggestions", request.experiment, context):
            plan = read_plan(request.experiment)
            trials, rules = with_rule(read_trials(request, plan), plan, self._curves if plan.scheduler else None)
            study = study_view(request, plan, trials)
            answer = self._proposer.answer(plan, study, request.current_request_number)
            if answer.substitutes:
                metrics.FALLBACKS.labels(self._label(request.experiment)).inc(answer.substitutes)
            unlisted = still_unlisted(request, {trial.number for trial in trials})
            LOG.info("%s: %s proposals from %s trials", request.experiment.name, len(answer.proposals), len(study.trials))
            return _reply(request, plan, answer, study.issued, unlisted, rules if plan.scheduler else None)

    def ValidateAlgorithmSettings(  # noqa: N802 (Katib's name)
        self, request: api_pb2.ValidateAlgorithmSettingsRequest, context: grpc.ServicerContext
    ) -> api_pb2.ValidateAlgorithmSettingsReply:
        """Answer INVALID_ARGUMENT, which ends the experiment with the message, where it cannot be searched."""
        with self._call("ValidateAlgorithmSettings", request.experiment, context):
            read_plan(request.experiment)
            return api_pb2.ValidateAlgorithmSettingsReply()

    @contextmanager
    def _call(self, method: str, experiment: api_pb2.Experiment, context: grpc.ServicerContext) -> Iterator[None]:
        """Count and time a call, and turn errors into gRPC's status."""
        algorithm, started = self._label(experiment), time.perf_counter()
        metrics.CALLS.labels(algorithm, method).inc()
        try:
            yield
        except (SpaceExhausted, SpecError) as error:
            status = grpc.StatusCode.OUT_OF_RANGE if isinstance(error, SpaceExhausted) else grpc.StatusCode.INVALID_ARGUMENT
            metrics.ERRORS.labels(algorithm, status.name).inc()
            LOG.warning("%s: %s refused: %s", experiment.name, method, error)
            context.abort(status, str(error))
        except Exception:
            metrics.ERRORS.labels(algorithm, grpc.StatusCode.UNKNOWN.name).inc()
            raise
        finally:
            metrics.SECONDS.labels(algorithm, method).observe(time.perf_counter() - started)

    def _label(self, experiment: api_pb2.Experiment) -> str:
        """Return the algorithm for the metrics, whatever a stranger calls it."""
        given = experiment.spec.algorithm.algorithm_name
        return given if given in self._algorithms else "unknown"


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise SpecError(f"{PROPOSE_SECONDS}: got {text!r}; needs seconds above 0")
    return seconds


def _reply(
    request: api_pb2.GetSuggestionsRequest,
    plan: Plan,
    answer: Answer,
    issued: int,
    unlisted: Mapping[int, str],
    rules: RuleOf | None,
) -> api_pb2.GetSuggestionsReply:
    """Return the proposals as trials, and what the next request should bring back."""
    experiment = request.experiment
    reply = api_pb2.GetSuggestionsReply()
    for number, proposal in enumerate(answer.proposals, issued):
        assigned = plan.code.write(proposal.candidate)
        extra = {STOP_RULE: rules(number).encode()} if rules else {}
        extra |= {PARENT: encode_parent(proposal.parent)} if plan.kin else {}
        trial = reply.parameter_assignments.add(trial_name=trial_name(plan.study, experiment.name, number, assigned))
        for name, value in (assigned | extra).items():
            trial.assignments.add(name=name, value=value)
    proposed = {number: encode(proposal.candidate) for number, proposal in enumerate(answer.proposals, issued)}
    reply.algorithm.algorithm_name = experiment.spec.algorithm.algorithm_name
    settings = {ISSUED: _json({**unlisted, **proposed})}
    if answer.substitutes:
        settings[FALLBACK] = _fallback(settings_of(experiment).get(FALLBACK, ""), answer, issued + len(answer.proposals) - 1)
    for name, value in settings.items():
        reply.algorithm.algorithm_settings.add(name=name, value=value)
    return reply


def _fallback(before: str, answer: Answer, last: int) -> str:
    """Return how many proposals so far are not the strategy's, the last of them, and why."""
    try:
        count = int(json.loads(before)["count"])
    except (ValueError, TypeError, KeyError):
        count = 0
    return _json({"count": count + answer.substitutes, "last": last, "why": answer.why})


def _json(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))
