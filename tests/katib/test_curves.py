"""Stop rules of trials in pods: made from the curves in Katib's database, which may be slow or away."""

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from tests.katib.controller import Controller, Status, service
from tests.katib.experiments import SPEC, carried
from tunesmith.katib import api_pb2, api_pb2_grpc
from tunesmith.katib.curves import MOST_CURVES, MOST_OTHERS, MOST_STEPS, Curves, with_rule
from tunesmith.katib.environment import DB_MANAGER
from tunesmith.katib.observations import Observations
from tunesmith.katib.study_view import Listed, read_plan
from tunesmith.katib.suggestion import SuggestionService
from tunesmith.schedulers._scheduler import StopRule
from tunesmith.schedulers.halving import Halving
from tunesmith.schedulers.hyperband import Hyperband
from tunesmith.study import State, Trial

Curve = Callable[[str, str], Sequence[float]]
SCHEDULED = json.dumps(SPEC | {"scheduler": {"name": "median", "trials": 2, "steps": 2}})


def rule_of(trial: api_pb2.Trial) -> StopRule:
    assigned = {item.name: item.value for item in trial.spec.parameter_assignments.assignments}
    assert list(assigned) == ["candidate", "stop_rule"]
    return StopRule.decode(assigned["stop_rule"])


def test_a_proposal_carries_the_stop_rule_that_the_finished_trials_curves_make(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = {0: [0.1, 0.3, 0.5], 1: [0.3, 0.5, 0.7]}
    asked: list[tuple[str, str]] = []

    def curve(name: str, metric: str) -> list[float]:
        asked.append((name, metric))
        return curves[int(name.split("-")[1])]

    serve(monkeypatch, curve)
    with service() as stub:
        controller = Controller(carried(SCHEDULED))
        assert all(rule_of(trial) == StopRule() for trial in controller.sync(stub, 3))
        for number in curves:
            status = controller.trials[number].status
            status.condition = Status.SUCCEEDED
            status.observation.metrics.add(name="val_accuracy", value=str(curves[number][-1]))
        (later,) = controller.sync(stub)
        controller.sync(stub)
    assert rule_of(later).thresholds == pytest.approx((None, -0.3, -0.4))
    assert sorted(asked) == [(trial.name, "val_accuracy") for trial in controller.trials[:2]]


class Database(api_pb2_grpc.DBManagerServicer):
    """Katib's database manager, in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, list[api_pb2.MetricLog]] = {}

    def ReportObservationLog(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        self.rows.setdefault(request.trial_name, []).extend(request.observation_log.metric_logs)
        return api_pb2.ReportObservationLogReply()

    def GetObservationLog(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        log = api_pb2.ObservationLog(metric_logs=self.rows.get(request.trial_name, []))
        return api_pb2.GetObservationLogReply(observation_log=log)


def test_curves_are_read_as_trials_reported_them(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = grpc.server(ThreadPoolExecutor(1))
    api_pb2_grpc.add_DBManagerServicer_to_server(Database(), manager)
    address = f"127.0.0.1:{manager.add_insecure_port('127.0.0.1:0')}"
    manager.start()
    monkeypatch.setenv(DB_MANAGER, address)
    observations = Observations(address)
    with service() as stub:
        controller = Controller(carried(SCHEDULED))
        controller.sync(stub, 2)
        for number, trial in enumerate(controller.trials):
            for step in range(4):
                at = datetime(2026, 1, 1, second=step, tzinfo=UTC)
                observations.report(trial.name, at, {"val_accuracy": 0.1 * step + number, "other": 7.0}, attempt=1)
            observations.report(trial.name, datetime(2026, 1, 2, tzinfo=UTC), {"val_accuracy": 9.0})
            trial.status.condition = Status.SUCCEEDED
            trial.status.observation.metrics.add(name="val_accuracy", value="9.0")
        (later,) = controller.sync(stub)
    observations.close()
    manager.stop(None).wait()
    assert rule_of(later).thresholds[0] is None
    assert rule_of(later).thresholds[1:] == pytest.approx((-0.55, -0.6, -0.65), rel=1e-4)


def test_without_the_database_there_is_no_rule_and_proposals_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def curve(name: str, metric: str) -> list[float]:
        raise ConnectionError("no database")

    serve(monkeypatch, curve)
    with service() as stub:
        controller = Controller(carried(SCHEDULED))
        controller.sync(stub, 3)
        for number in range(3):
            controller.finish(number)
        (later,) = controller.sync(stub)
    assert rule_of(later) == StopRule()


def serve(monkeypatch: pytest.MonkeyPatch, curve: Any) -> None:
    """Let the service read curves by a function in place of Katib's database."""
    monkeypatch.setattr(SuggestionService, "_curves", property(lambda self: self.__dict__.setdefault("c", Curves(curve))))


PLAN = read_plan(carried(SCHEDULED))


def judged(curves: Mapping[str, list[float]], rules: Mapping[str, StopRule] | None = None) -> tuple[list[Trial], StopRule]:
    """Judge finished trials named `0`, `1`, ... with these curves of the objective."""
    told = {name: rule.encode() for name, rule in (rules or {}).items()}
    listed = [Listed(Trial(int(name), {}, State.FINISHED), name, told.get(name, "")) for name in curves]
    trials, rule_of_number = with_rule(listed, PLAN, Curves(lambda name, metric: curves[name]))
    return trials, rule_of_number(len(listed))


def test_a_trial_that_its_rule_ended_counts_as_stopped_and_makes_no_rule() -> None:
    curves = {"0": [0.5, 0.6], "1": [0.5, 0.6], "2": [0.1, 0.2]}
    strict = StopRule((None, -0.4))
    trials, rule = judged(curves, dict.fromkeys(curves, strict))
    assert [trial.state for trial in trials] == [State.FINISHED, State.FINISHED, State.STOPPED]
    assert rule.thresholds == pytest.approx((None, -0.55))


def test_stopped_trials_count_where_the_scheduler_looks_at_them() -> None:
    curves = {str(number): [0.5, 0.6, 0.6 + number / 100, 0.7] for number in range(9)}
    ended = StopRule((None, None, -0.9, None))
    known = Curves(lambda name, metric: curves[name])
    plan = replace(PLAN, scheduler=Halving(steps=3), steps=4)
    listed = [Listed(Trial(int(name), {}, State.FINISHED), name, ended.encode() if name != "0" else "") for name in curves]
    trials, rule_of_number = with_rule(listed, plan, known)
    assert [trial.state for trial in trials] == [State.FINISHED] + [State.STOPPED] * 8
    assert rule_of_number(9).thresholds == pytest.approx((None, None, -0.66, None))


def test_every_proposal_has_the_rule_of_its_own_number() -> None:
    plan = replace(PLAN, scheduler=Hyperband(), steps=12)
    listed = [Listed(Trial(number, {}, State.FINISHED), str(number)) for number in range(30)]
    _, rule_of_number = with_rule(listed, plan, Curves(lambda name, metric: [0.5] * 12))
    judged_from = [next(at for at, bar in enumerate(rule_of_number(number).thresholds, 1) if bar) for number in range(30, 50)]
    assert set(judged_from) == {3, 9}


def test_the_newest_finished_trials_make_the_rule() -> None:
    many = {str(number): [0.1, 0.1] for number in range(MOST_OTHERS)}
    many |= {str(MOST_OTHERS + number): [0.9, 0.9] for number in range(MOST_OTHERS)}
    assert judged(many)[1].thresholds == pytest.approx((None, -0.9))


def test_endless_curves_make_a_rule_of_bounded_length() -> None:
    _, rule = judged({"0": [0.5] * 2000, "1": [0.5] * 2000})
    assert len(rule.thresholds) == MOST_STEPS


def test_a_curve_is_read_once() -> None:
    asked: list[str] = []
    curves = Curves(lambda name, metric: asked.append(name) or [1.0])
    assert curves.of(["b", "a"], "m") == {"b": [1.0], "a": [1.0]}
    assert curves.of(["c", "b", "a"], "m") == {"c": [1.0], "b": [1.0], "a": [1.0]}
    assert asked == ["b", "a", "c"]


def test_the_newest_curves_alone_are_remembered() -> None:
    curves = Curves(lambda name, metric: [1.0], seconds=30)
    for newest in range(500, 3 * MOST_CURVES, 500):
        found = curves.of([str(number) for number in range(newest, -1, -1)], "m")
        assert len(found) == min(newest + 1, MOST_CURVES)
    assert len(curves._known) == MOST_CURVES


def test_an_answer_does_not_wait_for_a_database_that_hangs_and_asks_it_no_second_time_meanwhile() -> None:
    hung, calls = threading.Event(), []

    def hang(name: str, metric: str) -> list[float]:
        calls.append(name)
        hung.wait(60)
        return [1.0]

    curves = Curves(hang, seconds=0.05)
    assert curves.of(["a"], "m") == {}
    assert curves.of(["b", "a"], "m") == {}
    assert calls == ["a"]
    hung.set()
    while "a" not in curves.of(["a"], "m"):
        pass


def test_a_database_that_is_away_is_told_once_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    away = True

    def curve(name: str, metric: str) -> list[float]:
        if away:
            raise ConnectionError("no database")
        return [1.0]

    curves = Curves(curve, pause=0)
    with caplog.at_level(logging.WARNING):
        assert curves.of(["a"], "m") == curves.of(["a"], "m") == {}
    assert [record.message for record in caplog.records] == [
        "no stop rules for now, the curves of trials cannot be read: no database"
    ]
    away = False
    assert curves.of(["a"], "m") == {"a": [1.0]}
