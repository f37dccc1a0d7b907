"""Katib's suggestion service, answered by a strategy: every answer depends on its request alone, a restart changes nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from tunesmith.errors import SpaceExhausted, SpecError
from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.candidate import PARAMETER, encode, trial_name
from tunesmith.katib.study_view import ISSUED, SPEC, read_spec, settings_of, still_unlisted, study_view


class SuggestionService(api_pb2_grpc.SuggestionServicer):
    """Proposes trials for experiments whose algorithm setting `spec` holds a search file's content as JSON."""

    def GetSuggestions(  # noqa: N802 (Katib's name)
        self, request: api_pb2.GetSuggestionsRequest, context: grpc.ServicerContext
    ) -> api_pb2.GetSuggestionsReply:
        """Return exactly the proposals asked for; OUT_OF_RANGE once the space is exhausted."""
        with _errors_as_status(context):
            spec = read_spec(request.experiment)
            study = study_view(request, spec)
            proposals = spec.strategy.propose(study, request.current_request_number)
            return _reply(request, {study.issued + i: encode(proposal.candidate) for i, proposal in enumerate(proposals)})

    def ValidateAlgorithmSettings(  # noqa: N802 (Katib's name)
        self, request: api_pb2.ValidateAlgorithmSettingsRequest, context: grpc.ServicerContext
    ) -> api_pb2.ValidateAlgorithmSettingsReply:
        """Answer INVALID_ARGUMENT, which ends the experiment with the message, where its spec cannot be searched."""
        with _errors_as_status(context):
            read_spec(request.experiment)
            return api_pb2.ValidateAlgorithmSettingsReply()


@contextmanager
def _errors_as_status(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except SpaceExhausted as error:
        context.abort(grpc.StatusCode.OUT_OF_RANGE, str(error))
    except SpecError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


def _reply(request: api_pb2.GetSuggestionsRequest, proposed: dict[int, str]) -> api_pb2.GetSuggestionsReply:
    """Return the proposals (encoded candidates by issue number), and what the next request's list may lack."""
    experiment = request.experiment
    spec = settings_of(experiment)[SPEC]
    assignments = [
        api_pb2.GetSuggestionsReply.ParameterAssignments(
            assignments=[api_pb2.ParameterAssignment(name=PARAMETER, value=encoded)],
            trial_name=trial_name(experiment.name, spec, number, encoded),
        )
        for number, encoded in proposed.items()
    ]
    unlisted = json.dumps({**still_unlisted(request), **proposed}, separators=(",", ":"))
    algorithm = api_pb2.AlgorithmSpec(
        algorithm_name=experiment.spec.algorithm.algorithm_name,
        algorithm_settings=[api_pb2.AlgorithmSetting(name=ISSUED, value=unlisted)],
    )
    return api_pb2.GetSuggestionsReply(parameter_assignments=assignments, algorithm=algorithm)
