"""What bounds a search on a real Katib: objectives within constraints, a budget that is changed meanwhile, a pod's deadline."""

import os
import signal
from contextlib import suppress

import pytest

from tests.cluster.searches import Workplace, finished, wait_for
from tests.cluster.test_engine import ended_trials, experiments, processes_of, running_pods
from tunesmith.study import State

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

TRADE_OFF = [{"metric": "loss", "goal": "minimize"}, {"metric": "speed", "goal": "maximize"}]


def test_several_objectives_are_searched_within_a_constraint(workplace: Workplace) -> None:
    file = workplace.write(
        evaluation={"function": "objectives.py:figures"},
        strategy={"name": "auto", "seed": 1},
        objectives=TRADE_OFF,
        constraints=["size <= 0.8"],
        budget={"trials": 8, "parallel": 4},
    )
    summary = workplace.succeed(file)
    trials = workplace.trials(file)
    assert [trial.number for trial in trials] == list(range(8))
    assert all(set(trial.metrics) >= {"loss", "speed", "size"} for trial in trials)
    assert summary["best"] == summary["front"][0]
    assert all(row["metrics"]["size"] <= 0.8 for row in summary["front"])
    (experiment,) = experiments(workplace, file)
    assert experiment["spec"]["objective"]["additionalMetricNames"] == ["speed", "size"]


@pytest.mark.parametrize(("trials", "parallel"), [(8, 3), (4, 2)])
def test_a_budget_changed_between_two_calls_reaches_the_running_experiment(
    workplace: Workplace, trials: int, parallel: int
) -> None:
    work = {"evaluation": {"function": "objectives.py:working"}, "resources": {"gpu": 0, "cpu": 0.1}}
    file = workplace.write(**work, budget={"trials": 6, "parallel": 2})
    client = workplace.start(file)
    wait_for("the first trial", lambda: ended_trials(workplace, file) >= 1)
    client.send_signal(signal.SIGKILL)
    client.wait()
    workplace.succeed(workplace.write(**work, budget={"trials": trials, "parallel": parallel}))
    (experiment,) = experiments(workplace, file)
    assert experiment["spec"]["parallelTrialCount"] == parallel
    ended = len(finished(workplace.trials(file)))
    # Of a smaller budget Katib may have started more already, and always wants room for one.
    assert ended == trials if trials > 6 else trials <= ended < 6
    assert experiment["spec"]["maxTrialCount"] == ended


def test_a_pod_that_cannot_notice_its_own_time_out_is_ended_at_its_deadline(workplace: Workplace) -> None:
    """Deadline: two attempts of 6 seconds each, and 15 to start."""
    file = workplace.write(
        evaluation={"function": "objectives.py:working"},
        budget={"trials": 2, "parallel": 1},
        resources={"seconds": 6, "gpu": 1, "cpu": 0.1},
        cluster={"start_seconds": 15},
    )
    client = workplace.start(file)
    stopped = wait_for("a running trial", lambda: running_pods(workplace))[0]["metadata"]["labels"]["job-name"]
    for process in wait_for("its processes on this machine", lambda: processes_of(stopped)):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
    assert client.wait(timeout=300) == 0, client.communicate()[1]
    by_state = {trial.state: trial for trial in workplace.trials(file)}
    assert "time-out" in by_state[State.FAILED].reason
    assert State.FINISHED in by_state
