"""Studies for the advice tests, made up from a seed."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.record import Record
from tunesmith.spaces.parameters import Parameters
from tunesmith.study import State, Trial

NESTED: dict[str, Any] = {
    "rate": {"loguniform": [1e-5, 1.0]},
    "width": {"int": [1, 64]},
    "idle": {"uniform": [0, 1]},
    "optimizer": {"choice": {"sgd": {"momentum": {"uniform": [0, 0.99]}}, "adam": {"beta": {"choice": [0.9, 0.99]}}}},
}


def nested_loss(candidate: Mapping[str, Any]) -> float:
    """`rate` matters most and `optimizer` next, `width` is best at its upper end, `idle` does nothing."""
    rate = (math.log10(candidate["rate"]) + 3) ** 2
    return rate + 1.5 * (candidate["optimizer"] == "sgd") + 0.02 * (64 - candidate["width"])


def random_trials(
    parameters: Mapping[str, Any], loss: Callable[[Mapping[str, Any]], float], count: int, seed: int = 0
) -> list[Trial]:
    """Return finished trials of random candidates, a minute each."""
    space, rng = Parameters(parameters), np.random.default_rng(seed)
    candidates = [space.sample(rng) for _ in range(count)]
    return [Trial(i, c, State.FINISHED, {"loss": float(loss(c))}, seconds=60.0) for i, c in enumerate(candidates)]


def content(parameters: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    """Return a search file of a function, as a study records it."""
    return {
        "evaluation": {"kind": "function", "function": "objective.py:f", "epochs": 20, "sha256": "ab"},
        "strategy": {"name": "random", "seed": 0},
        "budget": {"trials": 10, "parallel": 1},
        "objectives": [{"metric": "loss", "goal": "minimize"}],
        "space": Parameters(parameters).to_json(),
        **sections,
    }


def record(folder: Path, search: Mapping[str, Any], trials: list[Trial]) -> Path:
    """Write a study's record; returns its folder."""
    with Record.start(folder, search) as written:
        for trial in trials:
            written.begin(trial.number, trial.candidate)
            written.finish(trial)
    return folder
