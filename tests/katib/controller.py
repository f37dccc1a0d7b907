"""Katib's controller, played: it follows Katib 0.19.

Every call carries all trials and the settings of the last reply; the first asks for as many trials as may run at once, later
ones for one each; a reply may get lost; the list of trials may lag behind.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import grpc

from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.plan import Plan
from tunesmith.katib.server import make_server
from tunesmith.katib.study_view import read_plan
from tunesmith.spaces._space import canonical

Status = api_pb2.TrialStatus


@contextmanager
def service() -> Iterator[api_pb2_grpc.SuggestionStub]:
    """The service on a port of its own, as a restarted pod would be: nothing is left of an earlier one."""
    server, port = make_server("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", -1)]) as channel:
            yield api_pb2_grpc.SuggestionStub(channel)
    finally:
        server.stop(None).wait()


@dataclass
class Controller:
    """Katib's side of one experiment: the settings, the trials in order of issue, and how many of them the list lacks."""

    declared: api_pb2.Experiment
    settings: dict[str, str] = field(default_factory=dict)
    trials: list[api_pb2.Trial] = field(default_factory=list)
    lag: int = 0

    def experiment(self) -> api_pb2.Experiment:
        """The experiment, its settings replaced and added to by those of the last replies, as Katib merges them."""
        made = api_pb2.Experiment()
        made.CopyFrom(self.declared)
        given = {setting.name: setting.value for setting in made.spec.algorithm.algorithm_settings}
        del made.spec.algorithm.algorithm_settings[:]
        for name, value in (given | self.settings).items():
            made.spec.algorithm.algorithm_settings.add(name=name, value=value)
        return made

    @cached_property
    def plan(self) -> Plan:
        return read_plan(self.declared)

    def candidates(self) -> list[dict[str, Any]]:
        """What was proposed so far."""
        return [self.candidate(trial) for trial in self.trials]

    def candidate(self, trial: api_pb2.Trial) -> dict[str, Any]:
        """What a trial was to try."""
        assigned = {item.name: item.value for item in trial.spec.parameter_assignments.assignments}
        return dict(self.plan.code.read(assigned))

    def ask(self, stub: api_pb2_grpc.SuggestionStub, count: int = 1) -> api_pb2.GetSuggestionsReply:
        """Ask for suggestions without taking the answer in, as when the reply gets lost."""
        listed = self.trials[: len(self.trials) - self.lag]
        request = api_pb2.GetSuggestionsRequest(
            experiment=self.experiment(),
            trials=listed,
            current_request_number=count,
            total_request_number=len(self.trials) + count,
        )
        return stub.GetSuggestions(request)

    def sync(self, stub: api_pb2_grpc.SuggestionStub, count: int = 1) -> list[api_pb2.Trial]:
        """Ask for suggestions and make trials of them."""
        reply = self.ask(stub, count)
        assert len(reply.parameter_assignments) == count
        self.settings |= {setting.name: setting.value for setting in reply.algorithm.algorithm_settings}
        made = []
        for suggested in reply.parameter_assignments:
            trial = api_pb2.Trial(name=suggested.trial_name, status=Status(condition=Status.RUNNING))
            trial.spec.parameter_assignments.assignments.extend(suggested.assignments)
            made.append(trial)
        self.trials += made
        return made

    def finish(self, number: int) -> None:
        """End a trial in a way that its number tells: mostly well, sometimes failed, stopped or without a number."""
        status, value = self.trials[number].status, str(loss_of(self.candidate(self.trials[number])))
        outcomes = {3: (Status.FAILED, None), 5: (Status.SUCCEEDED, "nan"), 8: (Status.EARLYSTOPPED, value)}
        status.condition, value = outcomes.get(number % 10, (Status.SUCCEEDED, value))
        if value is not None:
            status.observation.metrics.add(name=self.declared.spec.objective.objective_metric_name, value=value)


def loss_of(candidate: dict[str, Any]) -> float:
    return random.Random(canonical(candidate)).random()
