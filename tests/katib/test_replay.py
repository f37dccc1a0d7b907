"""Katib's controller, played against the real service: what it is given is what the strategy gives at home."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest

from tests.katib.controller import Controller, loss_of, service
from tests.katib.experiments import asking_for_parents, carried, plain
from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.candidate import decode_parent
from tunesmith.katib.study_view import read_plan
from tunesmith.registry import discover
from tunesmith.spaces._space import canonical
from tunesmith.study import State, StudyView, Trial

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
FORMS = ("carried", "plain")


def carrying(strategy: str, parameters: dict[str, Any] = CONDITIONAL, **settings: str) -> api_pb2.Experiment:
    """An experiment with a spec in its settings."""
    content = {
        "space": {"kind": "parameters", "parameters": parameters},
        "strategy": {"name": strategy, "seed": 7},
        "evaluation": {"kind": "function", "function": "a.py:f"},
    }
    return carried(json.dumps(content), f"tunesmith-{strategy}", **settings)


def declared(form: str, strategy: str, finite: bool = False) -> api_pb2.Experiment:
    """An experiment in one of the two forms; a finite one has FINITE_SIZE candidates."""
    if form == "carried":
        return carrying(strategy, FINITE if finite else CONDITIONAL)
    numbers = {"n": {"type": "int", "min": "1", "max": "4"}, "k": {"type": "discrete", "list": ["1", "2", "3"]}}
    rates = {
        "rate": {"type": "double", "min": "1e-5", "max": "1", "distribution": "logUniform"},
        "share": {"type": "double", "min": "0", "max": "1", "step": "0.01"},
        "kind": {"type": "categorical", "list": ["a", "b"]},
        "width": {"type": "int", "min": "1", "max": "100", "distribution": "normal"},
    }
    return plain(numbers if finite else numbers | rates, f"tunesmith-{strategy}", seed="7")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine no proposal is to be drawn at random because the strategy's was late."""
    monkeypatch.setenv("TUNESMITH_PROPOSE_SECONDS", "300")


@pytest.fixture
def stub() -> Iterator[api_pb2_grpc.SuggestionStub]:
    with service() as found:
        yield found


@dataclass
class Home:
    """The same study held on one machine, in Tunesmith's own words, and asked directly."""

    experiment: api_pb2.Experiment
    study: StudyView = field(init=False)

    def __post_init__(self) -> None:
        self.plan = read_plan(self.experiment)
        self.study = StudyView(self.plan.space, self.plan.objective, seed=self.plan.seed)

    def propose(self, count: int = 1) -> list[dict[str, Any]]:
        candidates = [dict(proposal.candidate) for proposal in self.plan.strategy.propose(self.study, count)]
        trials = [Trial(self.study.issued + i, candidate) for i, candidate in enumerate(candidates)]
        self.study = replace(self.study, trials=(*self.study.trials, *trials), issued=self.study.issued + count)
        return candidates

    def finish(self, number: int) -> None:
        states = {3: State.FAILED, 5: State.FAILED, 8: State.STOPPED}
        state = states.get(number % 10, State.FINISHED)
        trials = list(self.study.trials)
        metrics = {} if state is State.FAILED else {self.plan.objective.metric: loss_of(dict(trials[number].candidate))}
        trials[number] = replace(trials[number], state=state, metrics=metrics)
        self.study = replace(self.study, trials=tuple(trials))


def play(controller: Controller, home: Home, trials: int, connect: Any) -> None:
    """Run both sides side by side; each proposal must be the same. `connect` gives the stub for one call."""
    order = random.Random(1)
    running: list[int] = []
    count = PARALLEL
    while len(controller.trials) < trials:
        with connect() as stub:
            suggested = [controller.candidate(trial) for trial in controller.sync(stub, count)]
        assert suggested == home.propose(count)
        running += range(len(controller.trials) - count, len(controller.trials))
        number = running.pop(order.randrange(len(running)))
        controller.finish(number)
        home.finish(number)
        count = 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_katib_is_given_what_the_strategy_gives_at_home_though_restarted_before_every_call(form: str, strategy: str) -> None:
    controller, home = Controller(declared(form, strategy)), Home(declared(form, strategy))
    play(controller, home, 40, service)
    assert len({trial.name for trial in controller.trials}) == 40
    for trial in controller.trials:
        home.plan.space.realize(controller.candidate(trial))


@pytest.mark.parametrize(
    "strategy", [{"name": "evolution", "population": 4}, {"name": "morphism"}, {"name": "auto"}], ids=lambda told: told["name"]
)
def test_katib_is_told_whose_edit_a_network_is_as_at_home(strategy: dict[str, Any], stub: api_pb2_grpc.SuggestionStub) -> None:
    space = {"kind": "graphs", "start": {"convs": 1, "filters": 4}, "most_layers": 8, "most_filters": 16}
    content = {"space": space, "strategy": {"seed": 7, **strategy}, "data": {"uri": "digits"}}
    experiment = asking_for_parents(carried(json.dumps(content), f"tunesmith-{strategy['name']}"))
    controller, home = Controller(experiment), Home(experiment)
    parents = []
    for number in range(12):
        (trial,) = controller.sync(stub)
        (proposal,) = home.plan.strategy.propose(home.study, 1)
        assigned = {item.name: item.value for item in trial.spec.parameter_assignments.assignments}
        assert (controller.candidate(trial), decode_parent(assigned["parent"])) == (proposal.candidate, proposal.parent)
        parents.append(proposal.parent)
        home.propose()
        controller.finish(number)
        home.finish(number)
    assert any(parent is not None for parent in parents)
    assert all(parent is None or parent < number for number, parent in enumerate(parents))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("lag", [1, 3])
def test_a_list_that_lags_behind_changes_no_proposal_but_for_what_it_hides(
    form: str, strategy: str, lag: int, stub: api_pb2_grpc.SuggestionStub
) -> None:
    controller, home = Controller(declared(form, strategy)), Home(declared(form, strategy))
    for number in range(20):
        controller.lag = min(lag, len(controller.trials))
        assert [controller.candidate(trial) for trial in controller.sync(stub)] == home.propose()
        if number >= lag:
            controller.finish(number - lag)
            home.finish(number - lag)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_lost_reply_is_given_again(form: str, strategy: str, stub: api_pb2_grpc.SuggestionStub) -> None:
    controller, home = Controller(declared(form, strategy)), Home(declared(form, strategy))
    play(controller, home, 20, service)
    lost = controller.ask(stub, 3)
    assert controller.ask(stub, 3) == lost
    assert [controller.candidate(trial) for trial in controller.sync(stub, 3)] == home.propose(3)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_trial_without_metrics_that_katib_lists_no_more_is_not_proposed_again(
    form: str, strategy: str, stub: api_pb2_grpc.SuggestionStub
) -> None:
    controller = Controller(declared(form, strategy, finite=True))
    kept, hidden = [], []
    for number in range(FINITE_SIZE):
        (trial,) = controller.sync(stub)
        controller.finish(number)
        (hidden if number % 4 == 1 else kept).append(trial)
        # Katib counts what it has issued, and lists what has metrics.
        controller.trials, controller.lag = [*kept, *hidden], len(hidden)
    assert len({canonical(controller.candidate(trial)) for trial in controller.trials}) == FINITE_SIZE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_exhausted_space_is_an_error_that_says_so(strategy: str, stub: api_pb2_grpc.SuggestionStub) -> None:
    controller = Controller(carrying(strategy, FINITE))
    controller.sync(stub, FINITE_SIZE)
    with pytest.raises(grpc.RpcError) as caught:
        controller.ask(stub)
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE  # type: ignore[attr-defined]  # a client's error is a call too
    assert "have been proposed" in caught.value.details()  # type: ignore[attr-defined]
