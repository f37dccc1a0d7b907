import pytest

from tests.kfp_client.backend import State, task, tasks
from tunesmith.errors import ClusterError
from tunesmith.kfp_client import runs
from tunesmith.kfp_client.connection import Backend
from tunesmith.kfp_client.runs import Run, get_run, list_runs, wait


def ignore(_: Run) -> None:
    """Hear nothing."""


def test_runs_are_listed_newest_first_with_their_states_and_links(state: State, backend: Backend) -> None:
    state.add_run(display_name="old", state="SUCCEEDED", finished_at="2026-01-05T03:10:00Z")
    state.add_run(display_name="new")
    new, old = list_runs(backend, 10)
    assert (new.name, new.state, new.over) == ("new", "RUNNING", False)
    assert (old.name, old.state, old.seconds) == ("old", "SUCCEEDED", 600.0)
    assert old.link == f"{state.host}/#/runs/details/{old.run_id}"
    assert new.seconds > 600, "a run that goes on has no end in 1970"


def test_as_many_are_listed_as_were_asked_for(state: State, backend: Backend) -> None:
    for i in range(230):
        state.add_run(display_name=str(i))
    assert [run.name for run in list_runs(backend, 3)] == ["229", "228", "227"]
    assert len(list_runs(backend, 150)) == 150
    assert len(list_runs(backend, 1000)) == 230


def test_those_of_one_experiment_are_listed(state: State, backend: Backend) -> None:
    state.experiments.append({"display_name": "churn", "experiment_id": "c"})
    state.add_run(experiment_id="c", display_name="mine")
    state.add_run()
    assert [run.name for run in list_runs(backend, 10, "churn")] == ["mine"]
    with pytest.raises(ClusterError, match="has no experiment 'nosuch'"):
        list_runs(backend, 10, "nosuch")


def test_a_runs_own_steps_are_shown_in_the_order_of_their_start(state: State, backend: Backend) -> None:
    details = tasks(task("train-model", "RUNNING", 2), task("prepare-data", "SUCCEEDED", 1), task("executor", "RUNNING", 3))
    run = get_run(backend, state.add_run(run_details=details)["run_id"])
    assert [(step.name, step.state) for step in run.steps] == [("prepare-data", "SUCCEEDED"), ("train-model", "RUNNING")]


def test_attempts_of_a_step_are_no_steps_of_their_own(state: State, backend: Backend) -> None:
    nodes = [
        task("prepare-data", "SUCCEEDED", 1),
        task("prepare-data(0)", "FAILED", 1),
        task("prepare-data(1)", "SUCCEEDED", 2),
    ]
    around = [task("tune-x7k2p(0)", "RUNNING"), task("root(0)", "RUNNING"), task("root-driver(0)", "SUCCEEDED")]
    run = get_run(backend, state.add_run(run_details=tasks(*nodes, *around))["run_id"])
    assert [(step.name, step.state) for step in run.steps] == [("prepare-data", "SUCCEEDED")]


@pytest.mark.parametrize(("end", "shown"), [("RUNNING", "PENDING"), ("FAILED", "SKIPPED")])
def test_a_step_that_a_run_never_came_to_waits_no_longer_than_the_run(
    state: State, backend: Backend, end: str, shown: str
) -> None:
    details = tasks({**task("export-model", ""), "state": None})
    (step,) = get_run(backend, state.add_run(state=end, run_details=details)["run_id"]).steps
    assert step.state == shown


def test_waiting_ends_with_the_run_and_tells_how_it_goes(state: State, backend: Backend) -> None:
    run_id = state.add_run(state="PENDING")["run_id"]
    state.future = [{"state": "RUNNING"}, {"state": "RUNNING"}, {"state": "FAILED"}]
    heard: list[str] = []
    assert wait(backend, run_id, None, lambda run: heard.append(run.state), poll=0.01).state == "FAILED"
    assert heard == ["RUNNING", "RUNNING", "FAILED"]


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"])
def test_every_way_to_end_is_an_end(state: State, backend: Backend, end: str) -> None:
    assert wait(backend, state.add_run(state=end)["run_id"], None, ignore, poll=0.01).over


def test_waiting_has_a_limit_and_the_run_goes_on(state: State, backend: Backend) -> None:
    run = wait(backend, state.add_run()["run_id"], 0.05, ignore, poll=0.01)
    assert (run.state, run.over) == ("RUNNING", False)


def test_a_backend_that_is_restarted_ends_no_waiting(state: State, backend: Backend) -> None:
    run_id = state.add_run()["run_id"]
    state.troubles = [(503, "no healthy upstream"), (500, "database is gone")]
    state.future = [{"state": "SUCCEEDED"}]
    assert wait(backend, run_id, None, ignore, poll=0.01).state == "SUCCEEDED"


def test_a_connection_that_is_cut_off_ends_no_waiting(state: State, backend: Backend) -> None:
    run_id = state.add_run()["run_id"]
    # As often as urllib3 asks again by itself, and once more.
    state.troubles = [(0, "")] * 5
    state.future = [{"state": "SUCCEEDED"}]
    assert wait(backend, run_id, None, ignore, poll=0.01).state == "SUCCEEDED"


def test_one_that_stays_away_does(state: State, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PATIENCE_SECONDS", 0.0)
    state.troubles = [(503, "no healthy upstream")] * 100
    with pytest.raises(ClusterError, match="no healthy upstream"):
        wait(backend, state.add_run()["run_id"], None, ignore, poll=0.01)


def test_a_run_that_is_not_there_is_told_at_once(backend: Backend) -> None:
    with pytest.raises(ClusterError, match=r"cannot find the run nosuch \(404\)"):
        wait(backend, "nosuch", None, ignore, poll=0.01)
