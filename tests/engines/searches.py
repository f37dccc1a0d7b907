"""Small searches for the engine tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.engines._engine import Engine, Limits, Progress, Search
from tunesmith.engines.local import Local
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.record import Record
from tunesmith.schedulers._scheduler import Scheduler
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies.random import Random
from tunesmith.study import Objective, Trial

SPACE = Parameters({"x": {"uniform": [0, 1]}, "kind": {"choice": ["a", "b"]}})


def run(
    folder: Path,
    function: Callable[..., Any],
    limits: Limits,
    engine: Engine | None = None,
    scheduler: Scheduler | None = None,
    space: Parameters = SPACE,
) -> list[Trial]:
    """Search with random candidates; return the recorded trials."""
    with Record.start(folder, {"space": space.to_json()}) as record:
        evaluator = FunctionEvaluator(function, "loss")
        search = Search(space, Random(), Objective("loss"), evaluator, limits, record, scheduler=scheduler)
        (engine or Local()).run(search, Progress())
        return record.trials()
