from typing import Any

import pytest

from tests.kfp_client.backend import State
from tunesmith.errors import ClusterError, SpecError
from tunesmith.kfp_client.connection import Backend
from tunesmith.kfp_client.schedules import Trigger, list_schedules, schedule, unschedule
from tunesmith.kfp_client.submission import Order
from tunesmith.pipeline_run.platform import Platform

MONDAYS = Trigger.read("0 3 * * 1", None)
WEEKLY = Trigger.read(None, "7d")


def order(**changes: Any) -> Order:
    return Order.read(
        "retrain", ["registry_uri=s3://models/churn", *(f"{name}={value}" for name, value in changes.items())], Platform()
    )


def test_a_schedule_never_overlaps_nor_makes_up_for_what_was_missed(state: State, backend: Backend) -> None:
    made, changed = schedule(backend, order(), "churn", MONDAYS)
    (item,) = state.schedules
    assert changed
    assert (made.name, made.trigger, made.enabled) == ("churn", "cron 0 0 3 * * 1", True)
    assert item["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 1"}}
    assert (int(item["max_concurrency"]), item["no_catchup"]) == (1, True)
    assert item["runtime_config"]["parameters"]["registry_uri"] == "s3://models/churn"


def test_an_interval_does_as_well(state: State, backend: Backend) -> None:
    made, _ = schedule(backend, order(), "churn", WEEKLY)
    assert int(state.schedules[0]["trigger"]["periodic_schedule"]["interval_second"]) == 7 * 86400
    assert made.trigger == "every 604800 s"


def test_the_same_again_changes_nothing(state: State, backend: Backend) -> None:
    first, _ = schedule(backend, order(), "churn", MONDAYS)
    again, changed = schedule(backend, order(), "churn", MONDAYS)
    assert not changed
    assert again == first
    assert len(state.schedules) == 1


@pytest.mark.parametrize(("arguments", "trigger"), [({"trials": 20}, MONDAYS), ({}, WEEKLY)])
def test_another_of_the_same_name_takes_its_place(
    state: State, backend: Backend, arguments: dict[str, Any], trigger: Trigger
) -> None:
    first, _ = schedule(backend, order(), "churn", MONDAYS)
    second, changed = schedule(backend, order(**arguments), "churn", trigger)
    assert changed
    assert [item["recurring_run_id"] for item in state.schedules] == [second.schedule_id]
    assert second.schedule_id != first.schedule_id


def test_the_runs_of_a_schedule_that_is_replaced_go_on(state: State, backend: Backend) -> None:
    schedule(backend, order(), "churn", MONDAYS)
    schedule(backend, order(), "churn", WEEKLY)
    assert state.deleted == [("churn", "ORPHAN")]


def test_schedules_of_other_names_are_left_alone(state: State, backend: Backend) -> None:
    schedule(backend, order(), "churn", MONDAYS)
    schedule(backend, order(), "fraud", MONDAYS)
    assert sorted(item["display_name"] for item in state.schedules) == ["churn", "fraud"]


def test_doubles_that_somebody_else_has_made_are_cleared_away(state: State, backend: Backend) -> None:
    schedule(backend, order(), "churn", MONDAYS)
    state.schedules.append({**state.schedules[0], "recurring_run_id": "double", "created_at": "2020-01-01T00:00:00Z"})
    schedule(backend, order(), "churn", MONDAYS)
    assert [item["recurring_run_id"] for item in state.schedules if item["recurring_run_id"] == "double"] == []
    assert len(state.schedules) == 1


def test_one_that_was_switched_off_is_made_anew(state: State, backend: Backend) -> None:
    schedule(backend, order(), "churn", MONDAYS)
    state.schedules[0].update(mode="DISABLE", status="DISABLED")
    _, changed = schedule(backend, order(), "churn", MONDAYS)
    assert changed
    assert [item["mode"] for item in state.schedules] == ["ENABLE"]


def test_where_the_new_one_cannot_be_made_the_old_one_goes_on(
    state: State, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule(backend, order(), "churn", MONDAYS)

    def refuse(**_: Any) -> None:
        state.troubles = [(500, "database is locked")]
        backend.client.list_experiments()

    monkeypatch.setattr(backend.client, "create_recurring_run", refuse)
    with pytest.raises(ClusterError, match=r"cannot make the schedule 'churn' \(500\): database is locked"):
        schedule(backend, order(), "churn", WEEKLY)
    assert [(item["mode"], item["trigger"]) for item in state.schedules] == [
        ("ENABLE", {"cron_schedule": {"cron": "0 0 3 * * 1"}})
    ]


def test_all_schedules_are_listed_however_many_pages_they_fill(state: State, backend: Backend) -> None:
    schedule(backend, order(), "churn", MONDAYS)
    for i in range(250):
        state.schedules.append({**state.schedules[0], "recurring_run_id": str(i), "display_name": f"other-{i}"})
    assert len(list_schedules(backend)) == 251
    assert [item.name for item in list_schedules(backend, "other-7")] == ["other-7"]


def test_a_schedule_is_deleted_by_its_name(state: State, backend: Backend) -> None:
    schedule(backend, order(), "churn", MONDAYS)
    assert unschedule(backend, "churn") == 1
    assert state.schedules == []
    with pytest.raises(ClusterError, match="has no schedule 'churn'; there are: none"):
        unschedule(backend, "churn")


@pytest.mark.parametrize(("cron", "every"), [(None, None), ("0 3 * * 1", "7d")])
def test_one_says_when_in_one_way(cron: str | None, every: str | None) -> None:
    with pytest.raises(SpecError, match="needs either --cron, such as '0 3 \\* \\* 1', or --every"):
        Trigger.read(cron, every)
