"""Every strategy with every scheduler: a search that was interrupted and goes on is the one that nobody interrupted."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.engines._engine import Limits, Progress, Search
from tunesmith.engines.inline import Inline
from tunesmith.evaluation._context import Context
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.record import Record
from tunesmith.registry import build, discover
from tunesmith.schedulers._scheduler import Scheduler
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import Objective, State, Trial

SPACE = Parameters(
    {
        "rate": {"loguniform": [1e-3, 1.0]},
        "cell": {"choice": {"gru": {"units": {"int": [1, 9]}}, "none": {}}},
        "x": {"uniform": [0, 1]},
    }
)
TRIALS, STEPS, CUT = 14, 8, 9

Recorded = tuple[list[Trial], dict[int, Any]]


def learn(candidate: dict[str, Any], context: Context) -> float:
    """A loss that falls, the faster the higher the rate is, to an end that the other parameters decide."""
    end = (candidate["x"] - 0.3) ** 2 + candidate.get("units", 12) / 20
    losses = [end + math.exp(-step * (0.2 + candidate["rate"])) for step in range(1, STEPS + 1)]
    for step, loss in enumerate(losses, start=1):
        context.report(step, {"loss": loss})
    return losses[-1]


def learn_until_the_cut(candidate: dict[str, Any], context: Context) -> float:
    if context.number == CUT:
        context.report(1, {"loss": 100.0})
        raise KeyboardInterrupt
    return learn(candidate, context)


def searched(folder: Path, strategy: str, scheduler: str, function: Any = learn) -> Recorded:
    """Begin or continue a search; return what is recorded, times apart."""
    chosen = build("tunesmith.strategies", strategy, Strategy, {}, "strategy")
    stops = build("tunesmith.schedulers", scheduler, Scheduler, {}, "scheduler")
    with Record.start(folder, {"space": SPACE.to_json()}) as record:
        evaluator = FunctionEvaluator(function, "loss")
        Inline().run(
            Search(SPACE, chosen, Objective("loss"), evaluator, Limits(TRIALS), record, seed=3, scheduler=stops), Progress()
        )
        return [replace(trial, seconds=0.0) for trial in record.trials()], dict(record.curves())


@pytest.mark.parametrize("scheduler", discover("tunesmith.schedulers"))
@pytest.mark.parametrize("strategy", discover("tunesmith.strategies"))
def test_a_search_that_was_interrupted_ends_with_the_record_of_one_that_was_not(
    strategy: str, scheduler: str, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "interrupted", strategy, scheduler, learn_until_the_cut)
    resumed = searched(tmp_path / "interrupted", strategy, scheduler)
    trials, curves = searched(tmp_path / "whole", strategy, scheduler)
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert resumed == (trials, curves)
    assert all(trial.state in (State.FINISHED, State.STOPPED) for trial in trials)
    for trial in trials:
        assert (trial.state is State.FINISHED) == (len(curves[trial.number]) == STEPS)


@pytest.mark.parametrize("scheduler", discover("tunesmith.schedulers"))
def test_every_scheduler_stops_some_trials_of_this_search(scheduler: str, tmp_path: Path) -> None:
    trials, _ = searched(tmp_path, "random", scheduler)
    assert 0 < sum(trial.state is State.STOPPED for trial in trials) < TRIALS
