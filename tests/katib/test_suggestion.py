"""What the service answers beside proposals: names, settings, refusals, fallbacks, stop rules, metrics."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from tests.katib.controller import Controller, Status, loss_of, service
from tests.katib.experiments import SPEC, asking_for_parents, carried, plain
from tunesmith.engines._engine import Limits, Progress, Search
from tunesmith.engines.inline import Inline
from tunesmith.errors import SpecError
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.candidate import encode
from tunesmith.katib.environment import PROPOSE_SECONDS
from tunesmith.katib.suggestion import SuggestionService
from tunesmith.record import Record
from tunesmith.spaces._space import canonical
from tunesmith.spec import parse_spec
from tunesmith.strategies.random import Random
from tunesmith.strategies.tpe import TPE
from tunesmith.study import Objective, Proposal, StudyView

COIN = {"coin": {"type": "categorical", "list": ["heads", "tails"]}}
NUMBERS = {"x": {"type": "double", "min": "0", "max": "1"}, "n": {"type": "int", "min": "1", "max": "9"}}


@pytest.fixture
def stub() -> Iterator[api_pb2_grpc.SuggestionStub]:
    with service() as found:
        yield found


def refused(call: Any, *arguments: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments)
    error: Any = caught.value
    return error.code(), error.details()


def validated(stub: api_pb2_grpc.SuggestionStub, experiment: api_pb2.Experiment) -> api_pb2.ValidateAlgorithmSettingsReply:
    return stub.ValidateAlgorithmSettings(api_pb2.ValidateAlgorithmSettingsRequest(experiment=experiment))


@pytest.mark.parametrize("experiment", [carried(), plain(NUMBERS)], ids=["carried", "plain"])
def test_trials_are_numbered_without_gaps_and_named_after_the_experiment(
    stub: api_pb2_grpc.SuggestionStub, experiment: api_pb2.Experiment
) -> None:
    controller = Controller(experiment)
    controller.sync(stub, 3)
    controller.sync(stub)
    assert [trial.name[:9] for trial in controller.trials] == ["exp-0000-", "exp-0001-", "exp-0002-", "exp-0003-"]


def test_a_plain_experiment_is_given_its_own_parameters_in_their_order(stub: api_pb2_grpc.SuggestionStub) -> None:
    (trial,) = Controller(plain(NUMBERS)).sync(stub)
    assignments = trial.spec.parameter_assignments.assignments
    assert [item.name for item in assignments] == ["x", "n"]
    assert 0 <= float(assignments[0].value) <= 1
    assert assignments[1].value in set("123456789")


def test_the_services_memory_in_the_reply_stays_short(stub: api_pb2_grpc.SuggestionStub) -> None:
    controller = Controller(carried())
    for _ in range(30):
        controller.sync(stub)
    assert list(json.loads(controller.settings["issued"])) == ["29"]


def test_a_request_larger_than_grpcs_default_is_read(stub: api_pb2_grpc.SuggestionStub) -> None:
    controller = Controller(plain(NUMBERS))
    controller.sync(stub, 1000)
    for trial in controller.trials:
        trial.spec.labels["padding"] = "x" * 5000
    assert sum(trial.ByteSize() for trial in controller.trials) > 4 * 2**20
    assert len(controller.sync(stub)) == 1


@pytest.mark.parametrize("experiment", [carried(), plain(NUMBERS, n_startup_trials="5", algorithm="tunesmith-tpe")])
def test_a_good_experiment_is_valid(stub: api_pb2_grpc.SuggestionStub, experiment: api_pb2.Experiment) -> None:
    assert validated(stub, experiment) == api_pb2.ValidateAlgorithmSettingsReply()


def test_a_bad_spec_ends_the_experiment_with_the_specs_own_words(stub: api_pb2_grpc.SuggestionStub) -> None:
    code, words = refused(validated, stub, carried(json.dumps(SPEC | {"strategy": {"name": "tpee"}})))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "strategy.name: 'tpee' is unknown; allowed: auto" in words


def test_a_strategy_that_cannot_work_in_the_spec_s_space_ends_the_experiment_with_those_that_can(
    stub: api_pb2_grpc.SuggestionStub,
) -> None:
    spec = {"space": {"kind": "graphs"}, "strategy": {"name": "tpe"}, "data": {"uri": "digits"}}
    code, words = refused(validated, stub, carried(json.dumps(spec)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "strategy.name: 'tpe' needs a space that is parametric, which 'graphs' is not" in words
    assert words.endswith("with 'graphs' work: auto, evolution, morphism, nsga2, random")
    spec["strategy"] = {"name": "evolution"}
    able = asking_for_parents(carried(json.dumps(spec), "tunesmith-evolution"))
    assert validated(stub, able) == api_pb2.ValidateAlgorithmSettingsReply()


def test_a_bad_plain_experiment_ends_with_its_parameters_name(stub: api_pb2_grpc.SuggestionStub) -> None:
    code, words = refused(validated, stub, plain({"lr": {"type": "double", "min": "1", "max": "0.1"}}))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert words.startswith("parameters.lr.feasibleSpace: uniform: low must be less than high")


def test_a_continued_study_goes_on_with_its_numbers_and_tries_nothing_twice(stub: api_pb2_grpc.SuggestionStub) -> None:
    spec = json.dumps(SPEC | {"space": {"kind": "parameters", "parameters": {"x": {"int": [1, 6]}}}})
    earlier = [[number, encode({"x": number + 1}), "finished", 0.1] for number in range(4)]
    controller = Controller(carried(spec, offset="4", earlier=json.dumps(earlier)))
    trials = controller.sync(stub, 2)
    assert [trial.name[:9] for trial in trials] == ["exp-0004-", "exp-0005-"]
    assert sorted(candidate["x"] for candidate in controller.candidates()) == [5, 6]


def test_candidates_to_be_tried_first_come_first_those_that_do_not_fit_are_skipped(stub: api_pb2_grpc.SuggestionStub) -> None:
    first = [{"x": 0.25}, {"y": 1}, {"x": 7.0}, {"x": 0.75}]
    controller = Controller(carried(first=json.dumps([encode(candidate) for candidate in first])))
    for _ in range(3):
        controller.sync(stub)
    proposed = [candidate["x"] for candidate in controller.candidates()]
    assert proposed[:2] == [0.25, 0.75]
    assert proposed[2] not in (0.25, 0.75)


def test_the_local_engine_tries_the_same_first_twenty_candidates(stub: api_pb2_grpc.SuggestionStub, tmp_path: Path) -> None:
    spec = parse_spec(SPEC)
    first = ({"x": 0.125}, {"z": 1})
    evaluator = FunctionEvaluator(loss_of, "val_accuracy")
    objective = Objective("val_accuracy", "maximize")
    with Record.start(tmp_path, spec.to_json()) as record:
        search = Search(spec.space, spec.strategy, objective, evaluator, Limits(20), record, spec.seed, first=first)
        Inline().run(search, Progress())
        local = [dict(trial.candidate) for trial in record.trials()]
    controller = Controller(carried(first=json.dumps([encode(candidate) for candidate in first])))
    for number in range(20):
        controller.sync(stub)
        status = controller.trials[number].status
        status.condition = Status.SUCCEEDED
        status.observation.metrics.add(name="val_accuracy", value=str(loss_of(controller.candidates()[number])))
    assert controller.candidates() == local


def test_an_exhausted_plain_space_is_tried_again_from_its_best_on_and_the_reply_says_so(
    stub: api_pb2_grpc.SuggestionStub,
) -> None:
    controller = Controller(plain(COIN))
    controller.sync(stub, 2)
    assert "fallback" not in controller.settings
    values = {"heads": "0.9", "tails": "0.1"}
    for trial, candidate in zip(controller.trials, controller.candidates(), strict=True):
        trial.status.condition = Status.SUCCEEDED
        trial.status.observation.metrics.add(name="val_accuracy", value=values[candidate["coin"]])
    controller.sync(stub, 3)
    assert [candidate["coin"] for candidate in controller.candidates()[2:]] == ["heads", "tails", "heads"]
    assert len({trial.name for trial in controller.trials}) == 5
    told = json.loads(controller.settings["fallback"])
    assert (told["count"], told["last"]) == (3, 4)
    assert "all 2 candidates of the space have been proposed" in told["why"]
    controller.sync(stub)
    assert json.loads(controller.settings["fallback"])["count"] == 4


@dataclass(frozen=True)
class Slow(TPE):
    """Answers once, and then not in time."""

    def propose(self, study: StudyView, count: int) -> list[Proposal]:
        if study.issued >= 1:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                sum(range(1000))
        return Random().propose(study, count)


def test_what_a_strategy_does_not_answer_in_time_is_drawn_at_random_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PROPOSE_SECONDS, "0.2")
    monkeypatch.setattr("tunesmith.katib.carried.parse_spec", lambda *_: _with(Slow()))
    counted = ("tunesmith_suggestion_fallbacks_total", {"algorithm": "tunesmith-tpe"})
    before = REGISTRY.get_sample_value(*counted) or 0
    with service() as stub:
        controller = Controller(carried())
        controller.sync(stub, 3)
        controller.sync(stub)
    assert len({canonical(candidate) for candidate in controller.candidates()}) == 4
    told = json.loads(controller.settings["fallback"])
    assert (told["count"], told["last"]) == (3, 3)
    assert "took longer than 0.2 s" in told["why"] or "still busy" in told["why"]
    assert (REGISTRY.get_sample_value(*counted) or 0) - before == 3


def _with(strategy: TPE) -> Any:
    return replace(parse_spec(SPEC), strategy=strategy)


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "inf"])
def test_a_senseless_time_limit_is_refused(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROPOSE_SECONDS, seconds)
    with pytest.raises(SpecError, match=rf"{PROPOSE_SECONDS}: got '{seconds}'; needs seconds above 0"):
        SuggestionService()


def test_calls_and_refusals_are_counted_by_algorithm(stub: api_pb2_grpc.SuggestionStub) -> None:
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"tunesmith_suggestion_{name}", labels) or 0.0

    def figures() -> list[float]:
        call = {"algorithm": "tunesmith-random", "method": "GetSuggestions"}
        return [
            value("calls_total", **call),
            value("seconds_count", **call),
            value("errors_total", algorithm="tunesmith-random", status="INVALID_ARGUMENT"),
            value("errors_total", algorithm="unknown", status="INVALID_ARGUMENT"),
        ]

    before = figures()
    Controller(plain(NUMBERS)).sync(stub)
    refused(validated, stub, plain(NUMBERS, gamma="1"))
    refused(validated, stub, plain(NUMBERS, "no-such-algorithm"))
    assert [after - then for after, then in zip(figures(), before, strict=True)] == [1, 1, 1, 1]
