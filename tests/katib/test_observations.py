"""A trial's metrics in Katib's database: what is written is read back, whatever becomes of the manager meanwhile."""

import math
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.katib.db_manager import DBManager, serve
from tunesmith.errors import ClusterError
from tunesmith.katib.observations import ATTEMPT, Observations
from tunesmith.trial._reports import Reports

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def manager() -> DBManager:
    return DBManager()


@pytest.fixture
def observations(manager: DBManager) -> Iterator[Observations]:
    with serve(manager) as address:
        client = Observations(address, patience=20)
        yield client
        client.close()


def test_the_steps_of_a_trial_are_its_curve_in_order_of_time(observations: Observations) -> None:
    observations.report("t", NOON + SECOND, {"loss": 0.5, "accuracy": 0.7}, attempt=1)
    observations.report("t", NOON, {"loss": 0.9}, attempt=1)
    observations.report("t", NOON + 2 * SECOND, {"loss": 1 / 3}, attempt=1)
    assert observations.curve("t", "loss") == [0.9, 0.5, 1 / 3]
    assert observations.curve("t", "accuracy") == [0.7]
    assert observations.curve("t", "other") == []
    assert observations.curve("another", "loss") == []


def test_the_last_word_of_a_trial_is_katibs_result_and_no_step(observations: Observations, manager: DBManager) -> None:
    observations.report("t", NOON, {"loss": 0.5}, attempt=1)
    observations.report("t", NOON + SECOND, {"loss": 0.6}, attempt=1)
    observations.report("t", NOON + 2 * SECOND, {"loss": 0.5})
    assert observations.curve("t", "loss") == [0.5, 0.6]
    assert manager.latest("t")["loss"] == 0.5


def test_of_two_attempts_the_last_ones_steps_count(observations: Observations) -> None:
    for i in range(3):
        observations.report("t", NOON + i * SECOND, {"loss": 9.0}, attempt=1)
    for i in range(2):
        observations.report("t", NOON + (10 + i) * SECOND, {"loss": float(i)}, attempt=2)
    assert observations.curve("t", "loss") == [0.0, 1.0]


def test_a_report_that_was_delivered_twice_counts_once(observations: Observations) -> None:
    for _ in range(2):
        observations.report("t", NOON, {"loss": 0.5}, attempt=1)
    assert observations.curve("t", "loss") == [0.5]


def test_what_is_not_finite_is_never_reported(observations: Observations, manager: DBManager) -> None:
    observations.report("t", NOON, {"loss": math.nan, "accuracy": math.inf, "step": 1.0}, attempt=1)
    observations.report("t", NOON + SECOND, {"loss": math.nan})
    assert [name for _, name, _ in manager.rows["t"]] == ["step", ATTEMPT]


def test_the_last_time_is_known(observations: Observations) -> None:
    assert observations.last_time("t") is None
    observations.report("t", NOON, {"loss": 1.0})
    observations.report("t", NOON + timedelta(microseconds=500), {"loss": 1.0})
    assert observations.last_time("t") == NOON + timedelta(microseconds=500)


def test_a_manager_whose_database_is_away_is_asked_again(observations: Observations, manager: DBManager) -> None:
    manager.away = 2
    observations.report("t", NOON, {"loss": 1.0}, attempt=1)
    assert observations.curve("t", "loss") == [1.0]


def test_a_manager_that_comes_late_is_waited_for(manager: DBManager) -> None:
    with serve(DBManager()) as address:
        pass
    client = Observations(address, patience=60)
    reporting = threading.Thread(target=client.report, args=("t", NOON, {"loss": 1.0}, 1))
    reporting.start()
    time.sleep(1)
    with serve(manager, int(address.rpartition(":")[2])):
        reporting.join()
        assert client.curve("t", "loss") == [1.0]


def test_a_manager_that_stays_away_is_named_with_the_variable_that_says_where_it_is() -> None:
    with serve(DBManager()) as address:
        pass
    with pytest.raises(ClusterError, match=f"{address}: Katib's database manager does not answer .*KATIB_DB_MANAGER"):
        Observations(address, patience=0.5).report("t", NOON, {"loss": 1.0})


def test_a_service_of_another_kind_is_refused_at_once(manager: DBManager) -> None:
    from tunesmith.katib.server import make_server

    server, port = make_server("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(ClusterError, match="UNIMPLEMENTED"):
            Observations(f"127.0.0.1:{port}", patience=3600).report("t", NOON, {"loss": 1.0})
    finally:
        server.stop(0)


def test_reports_are_delivered_in_order_by_growing_times(manager: DBManager) -> None:
    with serve(manager) as address:
        reports = Reports(address, "t")
        for i in range(100):
            reports.add({"loss": float(i)}, attempt=1)
        reports.close()
        assert Observations(address).curve("t", "loss") == [float(i) for i in range(100)]
    assert len({time for time, *_ in manager.rows["t"]}) == 100


def test_reports_come_after_those_of_a_machine_whose_clock_is_ahead(manager: DBManager) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with serve(manager) as address:
        Observations(address).report("t", ahead, {"loss": 9.0}, attempt=1)
        reports = Reports(address, "t")
        reports.add({"loss": 1.0}, attempt=2)
        reports.close()
        assert Observations(address).curve("t", "loss") == [1.0]
    assert manager.latest("t")["loss"] == 1.0


def test_a_trial_goes_on_while_its_reports_wait(manager: DBManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.katib.observations.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("tunesmith.trial._reports.PAUSE_SECONDS", 0.1)
    with serve(DBManager()) as address:
        pass
    reports = Reports(address, "t")
    reports.add({"loss": 1.0}, attempt=1)
    # Longer than one call's patience, several times over.
    time.sleep(1)
    with serve(manager, int(address.rpartition(":")[2])):
        # The client tries to connect anew only now and then.
        while not manager.rows:
            time.sleep(0.05)
        reports.close()
    assert manager.values("t", "loss") == [1.0]


def test_reports_that_nobody_takes_are_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.katib.observations.PATIENCE_SECONDS", 0.2)
    with serve(DBManager()) as address:
        pass
    reports = Reports(address, "t")
    reports.add({"loss": 1.0})
    with pytest.raises(ClusterError, match="does not answer"):
        reports.close()


def test_many_reports_that_wait_are_sent_together(manager: DBManager) -> None:
    calls = []
    report = manager.ReportObservationLog
    manager.ReportObservationLog = lambda request, context: (calls.append(request), report(request, context))[1]
    manager.away = 1
    with serve(manager) as address:
        reports = Reports(address, "t")
        for i in range(1000):
            reports.add({"loss": float(i)}, attempt=1)
        reports.close()
        assert Observations(address).curve("t", "loss") == [float(i) for i in range(1000)]
    assert len(calls) < 20
