"""The loop of a search: what it does with gaps, deaths, lost attempts, checkpoints and time."""

import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.engines.searches import run
from tunesmith.engines._books import CHECKPOINTS
from tunesmith.engines._engine import Limits
from tunesmith.engines._loop import DEATHS
from tunesmith.engines.inline import Inline
from tunesmith.errors import TrialStopped
from tunesmith.record import Record
from tunesmith.schedulers._scheduler import Curves, Scheduler
from tunesmith.study import State


def test_a_trial_whose_files_were_lost_leaves_a_gap_and_no_finished_one_is_run_again(tmp_path: Path) -> None:
    begun = []

    def function(candidate, context):
        begun.append(context.number)
        return candidate["x"]

    run(tmp_path, function, Limits(5), Inline())
    (tmp_path / "study.db").unlink()
    shutil.rmtree(tmp_path / "trials/1")
    trials = run(tmp_path, function, Limits(7), Inline())
    assert begun == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [trial.number for trial in trials] == [0, 2, 3, 4, 5, 6, 7]


def test_a_trial_during_which_the_search_keeps_dying_fails_in_the_end(tmp_path: Path) -> None:
    def function(candidate, context):
        if context.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return candidate["x"]

    for _ in range(DEATHS):
        search = get_context("fork").Process(target=run, args=(tmp_path, function, Limits(3), Inline()))
        search.start()
        search.join()
        assert search.exitcode == -signal.SIGKILL
    trials = run(tmp_path, function, Limits(3), Inline())
    assert [trial.state for trial in trials] == [State.FINISHED, State.FAILED, State.FINISHED]
    assert trials[1].reason == f"the search died {DEATHS} times while this trial ran"


def test_an_interruption_by_the_user_does_not_count_as_an_attempt(tmp_path: Path) -> None:
    def interrupted(candidate, context):
        raise KeyboardInterrupt

    for _ in range(DEATHS + 1):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, interrupted, Limits(1), Inline())
    (trial,) = run(tmp_path, lambda candidate: candidate["x"], Limits(1), Inline())
    assert (trial.state, trial.attempts) == (State.FINISHED, 1)


@dataclass(frozen=True)
class Listener(Scheduler):
    """Stops nothing, notes the curves that it is asked about."""

    heard: list[list[float]] = field(default_factory=list)
    others: list[dict[int, tuple[list[float], bool]]] = field(default_factory=list)

    def bar(self, number: int, step: int, others: Curves) -> float | None:
        return None

    def verdict(self, number: int, losses: Sequence[float], others: Curves) -> str:
        self.heard.append(list(losses))
        self.others.append({other: (list(curve.losses), curve.finished) for other, curve in others.items()})
        return ""


def test_a_scheduler_sees_nothing_of_a_lost_attempt(tmp_path: Path) -> None:
    def function(candidate, context):
        again = (context.folder / "was here").exists()
        context.report(1, {"loss": 1.0 if again else 50.0})
        if not again:
            (context.folder / "was here").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0

    listener = Listener()
    run(tmp_path, function, Limits(1), scheduler=listener)
    assert listener.heard == [[50.0], [1.0]]


def test_a_scheduler_sees_the_curves_of_all_trials_that_have_not_failed_of_an_earlier_session_too(tmp_path: Path) -> None:
    def function(candidate, context):
        context.report(1, {"loss": float(context.number)})
        if context.number == 1:
            raise TrialStopped("enough", {"loss": 1.0})
        if context.number == 2:
            raise ValueError("no")
        return 0.5

    run(tmp_path, function, Limits(3), Inline(), scheduler=Listener())
    listener = Listener()
    run(tmp_path, function, Limits(5), Inline(), scheduler=listener)
    assert listener.others == [{0: ([0.0], True), 1: ([1.0], False)}, {0: ([0.0], True), 1: ([1.0], False), 3: ([3.0], True)}]


def test_the_best_trials_alone_keep_their_checkpoints(tmp_path: Path) -> None:
    def function(candidate, context):
        (context.folder / "model.keras").touch()
        return candidate["x"]

    run(tmp_path, function, Limits(6), Inline())
    trials = run(tmp_path, function, Limits(12), Inline())
    best = sorted(trials, key=lambda trial: trial.metrics["loss"])[:CHECKPOINTS]
    kept = {int(path.parent.name) for path in tmp_path.glob("trials/*/model.keras")}
    assert kept == {trial.number for trial in best}


def test_time_spent_is_recorded_with_every_trial(tmp_path: Path) -> None:
    seen = []

    def function(candidate, context):
        with Record.read(tmp_path) as record:
            seen.append(record.seconds)
        return candidate["x"]

    run(tmp_path, function, Limits(3), Inline())
    assert 0.0 == seen[0] < seen[1] < seen[2]
