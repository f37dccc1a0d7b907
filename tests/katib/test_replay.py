"""Katib's controller, played against the real service: what it is given is what the strategy gives at home.

The controller below follows Katib 0.19: every call carries all trials and the settings of the last reply; the first asks for as
many trials as may run at once, later ones for one each; a reply may get lost; the list of trials may lag behind.
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.candidate import decode
from tunesmith.katib.server import PROBED, make_server
from tunesmith.registry import discover
from tunesmith.spaces._space import canonical
from tunesmith.spec import parse_spec
from tunesmith.study import Objective, State, StudyView, Trial

CONDITIONAL: dict[str, Any] = {
    "depth": {"int": [1, 3]},
    "optimizer": {
        "choice": {
            "sgd": {"momentum": {"normal": [0.9, 0.1], "clip": [0, 1]}, "nesterov": {"choice": [True, False]}},
            "adam": {"beta": {"uniform": [0.8, 1], "step": 0.01}, "eps": {"loguniform": [1e-9, 1e-3]}},
        }
    },
}
FINITE: dict[str, Any] = {"n": {"int": [1, 4]}, "cell": {"choice": {"gru": {"units": {"choice": [8, 16]}}, "lstm": {}}}}
FINITE_SIZE = 4 * 3
PARALLEL = 4
STRATEGIES = discover("tunesmith.strategies")
Status = api_pb2.TrialStatus


def spec_of(strategy: str, parameters: dict[str, Any] = CONDITIONAL, seed: int = 7) -> dict[str, Any]:
    return {
        "space": {"kind": "parameters", "parameters": parameters},
        "strategy": {"name": strategy, "seed": seed},
        "evaluation": {"kind": "function", "function": "a.py:f"},
    }


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


@pytest.fixture
def stub() -> Iterator[api_pb2_grpc.SuggestionStub]:
    with service() as found:
        yield found


@dataclass
class Controller:
    """Katib's side of one experiment: the settings, the trials in order of issue, and how many of them the list lacks."""

    content: dict[str, Any]
    settings: dict[str, str] = field(default_factory=dict)
    trials: list[api_pb2.Trial] = field(default_factory=list)
    lag: int = 0

    def experiment(self) -> api_pb2.Experiment:
        made = api_pb2.Experiment(name="exp")
        made.spec.parallel_trial_count = PARALLEL
        made.spec.parameter_specs.parameters.add(name="candidate", parameter_type=api_pb2.CATEGORICAL)
        made.spec.parameter_specs.parameters[0].feasible_space.list.append("auto")
        made.spec.objective.objective_metric_name = "loss"
        made.spec.objective.type = api_pb2.MINIMIZE
        made.spec.algorithm.algorithm_name = "tunesmith"
        for name, value in ({"spec": json.dumps(self.content)} | self.settings).items():
            made.spec.algorithm.algorithm_settings.add(name=name, value=value)
        return made

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
        status, value = self.trials[number].status, str(loss_of(candidate_of(self.trials[number])))
        outcomes = {3: (Status.FAILED, None), 5: (Status.SUCCEEDED, "nan"), 8: (Status.EARLYSTOPPED, value)}
        status.condition, value = outcomes.get(number % 10, (Status.SUCCEEDED, value))
        if value is not None:
            status.observation.metrics.add(name="loss", value=value)


def candidate_of(trial: api_pb2.Trial) -> dict[str, Any]:
    (assigned,) = trial.spec.parameter_assignments.assignments
    assert assigned.name == "candidate"
    return decode(assigned.value)


def loss_of(candidate: dict[str, Any]) -> float:
    return random.Random(canonical(candidate)).random()


@dataclass
class Home:
    """The same study held on one machine, in Tunesmith's own words, and asked directly."""

    content: dict[str, Any]
    study: StudyView = field(init=False)

    def __post_init__(self) -> None:
        self.spec = parse_spec(self.content)
        self.study = StudyView(self.spec.space, Objective("loss"), seed=self.spec.seed)

    def propose(self, count: int = 1) -> list[dict[str, Any]]:
        candidates = [dict(proposal.candidate) for proposal in self.spec.strategy.propose(self.study, count)]
        trials = [Trial(self.study.issued + i, candidate) for i, candidate in enumerate(candidates)]
        self.study = replace(self.study, trials=(*self.study.trials, *trials), issued=self.study.issued + count)
        return candidates

    def finish(self, number: int) -> None:
        states = {3: State.FAILED, 5: State.FAILED, 8: State.STOPPED}
        state = states.get(number % 10, State.FINISHED)
        trials = list(self.study.trials)
        metrics = {} if state is State.FAILED else {"loss": loss_of(dict(trials[number].candidate))}
        trials[number] = replace(trials[number], state=state, metrics=metrics)
        self.study = replace(self.study, trials=tuple(trials))


def play(controller: Controller, home: Home, trials: int, connect: Any) -> None:
    """Run both sides side by side; each proposal must be the same. `connect` gives the stub for one call."""
    order = random.Random(1)
    running: list[int] = []
    count = PARALLEL
    while len(controller.trials) < trials:
        with connect() as stub:
            suggested = [candidate_of(trial) for trial in controller.sync(stub, count)]
        assert suggested == home.propose(count)
        running += range(len(controller.trials) - count, len(controller.trials))
        number = running.pop(order.randrange(len(running)))
        controller.finish(number)
        home.finish(number)
        count = 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_katib_is_given_what_the_strategy_gives_at_home_though_restarted_before_every_call(strategy: str) -> None:
    controller, home = Controller(spec_of(strategy)), Home(spec_of(strategy))
    play(controller, home, 40, service)
    assert len({trial.name for trial in controller.trials}) == 40
    for trial in controller.trials:
        home.spec.space.realize(candidate_of(trial))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("lag", [1, 3])
def test_a_list_that_lags_behind_changes_no_proposal_but_for_what_it_hides(
    strategy: str, lag: int, stub: api_pb2_grpc.SuggestionStub
) -> None:
    controller, home = Controller(spec_of(strategy)), Home(spec_of(strategy))
    for number in range(20):
        controller.lag = min(lag, len(controller.trials))
        assert [candidate_of(trial) for trial in controller.sync(stub)] == home.propose()
        if number >= lag:
            controller.finish(number - lag)
            home.finish(number - lag)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_lost_reply_is_given_again(strategy: str, stub: api_pb2_grpc.SuggestionStub) -> None:
    controller, home = Controller(spec_of(strategy)), Home(spec_of(strategy))
    play(controller, home, 20, service)
    lost = controller.ask(stub, 3)
    assert controller.ask(stub, 3) == lost
    assert [candidate_of(trial) for trial in controller.sync(stub, 3)] == home.propose(3)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_trial_without_metrics_that_katib_lists_no_more_is_not_proposed_again(
    strategy: str, stub: api_pb2_grpc.SuggestionStub
) -> None:
    controller = Controller(spec_of(strategy, FINITE))
    kept, hidden = [], []
    for number in range(FINITE_SIZE):
        (trial,) = controller.sync(stub)
        controller.finish(number)
        (hidden if number % 4 == 1 else kept).append(trial)
        # Katib counts what it has issued, and lists what has metrics.
        controller.trials, controller.lag = [*kept, *hidden], len(hidden)
    assert len({canonical(candidate_of(trial)) for trial in controller.trials}) == FINITE_SIZE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_exhausted_space_is_an_error_that_says_so(strategy: str, stub: api_pb2_grpc.SuggestionStub) -> None:
    controller = Controller(spec_of(strategy, FINITE))
    controller.sync(stub, FINITE_SIZE)
    with pytest.raises(grpc.RpcError) as caught:
        controller.ask(stub)
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE  # type: ignore[attr-defined]  # a client's error is a call too
    assert "have been proposed" in caught.value.details()  # type: ignore[attr-defined]


def test_trials_are_numbered_without_gaps_and_named_after_the_experiment(stub: api_pb2_grpc.SuggestionStub) -> None:
    controller = Controller(spec_of("random"))
    controller.sync(stub, 3)
    controller.sync(stub)
    assert [trial.name[:9] for trial in controller.trials] == ["exp-0000-", "exp-0001-", "exp-0002-", "exp-0003-"]


def test_the_services_memory_in_the_reply_stays_short(stub: api_pb2_grpc.SuggestionStub) -> None:
    controller = Controller(spec_of("random"))
    for _ in range(30):
        controller.sync(stub)
    assert list(json.loads(controller.settings["issued"])) == ["29"]


def test_a_request_larger_than_grpcs_default_is_read(stub: api_pb2_grpc.SuggestionStub) -> None:
    controller = Controller(spec_of("random"))
    controller.sync(stub, 1000)
    for trial in controller.trials:
        trial.spec.labels["padding"] = "x" * 5000
    request_size = sum(trial.ByteSize() for trial in controller.trials)
    assert request_size > 4 * 2**20
    assert len(controller.sync(stub)) == 1


def test_a_good_spec_is_valid(stub: api_pb2_grpc.SuggestionStub) -> None:
    experiment = Controller(spec_of("tpe")).experiment()
    reply = stub.ValidateAlgorithmSettings(api_pb2.ValidateAlgorithmSettingsRequest(experiment=experiment))
    assert reply == api_pb2.ValidateAlgorithmSettingsReply()


def test_a_bad_spec_ends_the_experiment_with_the_specs_own_words(stub: api_pb2_grpc.SuggestionStub) -> None:
    content = spec_of("tpe") | {"strategy": {"name": "tpee"}}
    request = api_pb2.ValidateAlgorithmSettingsRequest(experiment=Controller(content).experiment())
    with pytest.raises(grpc.RpcError) as caught:
        stub.ValidateAlgorithmSettings(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
    assert "strategy.name: 'tpee' is unknown; allowed: random" in caught.value.details()  # type: ignore[attr-defined]


def test_katibs_probe_finds_the_service_healthy() -> None:
    server, port = make_server("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(  # type: ignore[attr-defined]  # set when made
                health_pb2.HealthCheckRequest(service=PROBED)
            )
    finally:
        server.stop(None).wait()
    assert PROBED == "manager.v1beta1.Suggestion"
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
