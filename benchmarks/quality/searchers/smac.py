"""SMAC's facade for hyperparameters (a random forest), with its own conditional parameters.

Failures are told as crashes that cost as much as the worst loss so far: its model takes no infinite costs.
"""

import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from quality.problem import Knob
from quality.searchers._flat import told
from tunesmith.spaces._space import Candidate

REQUIRES = "smac"


def names() -> list[str]:
    """Return the one facade."""
    return ["smac"]


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> "Smac":
    """Return the facade for so many trials."""
    del name, batch
    return Smac(knobs, seed, trials)


class Smac:
    """A facade that is asked and told; what it writes goes to a temporary folder."""

    def __init__(self, knobs: Sequence[Knob], seed: int, trials: int) -> None:
        self.knobs, self.seed = knobs, seed
        self.space = _space(knobs, seed)
        self.folder = tempfile.TemporaryDirectory()
        smac = import_module(REQUIRES)
        scenario = smac.Scenario(
            self.space, n_trials=trials, deterministic=True, seed=seed, output_directory=Path(self.folder.name)
        )
        self.facade = smac.HyperparameterOptimizationFacade(scenario, _nothing, overwrite=True, logging_level=False)
        self.asked: list[Any] = []
        self.worst: float | None = None

    def ask(self, count: int) -> Sequence[Candidate]:
        self.asked = [self.facade.ask() for _ in range(count)]
        return [self._read(dict(info.config)) for info in self.asked]

    def _read(self, values: dict[str, Any]) -> Candidate:
        return {knob.name: _plain(knob, values[knob.name]) for knob in self.knobs if knob.name in values}

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        history = import_module("smac.runhistory")
        losses, self.worst = told(results, self.worst)
        for info, cost, (_, loss) in zip(self.asked, losses, results, strict=True):
            status = history.StatusType.CRASHED if loss is None else history.StatusType.SUCCESS
            self.facade.tell(info, history.TrialValue(cost=cost, status=status))

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        made, told_of = import_module("ConfigSpace").Configuration, import_module("smac.runhistory")
        for candidate, loss in history:
            info = told_of.TrialInfo(made(self.space, values=dict(candidate)), seed=0)
            self.facade.tell(info, told_of.TrialValue(cost=loss))


def _nothing(config: Any, seed: int = 0) -> float:
    """It is asked and told, and never runs anything itself."""
    del config, seed
    return 0.0


def _space(knobs: Sequence[Knob], seed: int) -> Any:
    library = import_module("ConfigSpace")
    space = library.ConfigurationSpace(seed=seed)
    for knob in knobs:
        space.add(_parameter(knob))
    for knob in knobs:
        if knob.parent:
            space.add(library.InCondition(space[knob.name], space[knob.parent], list(knob.options)))
    return space


def _parameter(knob: Knob) -> Any:
    library = import_module("ConfigSpace")
    if knob.choices:
        return library.CategoricalHyperparameter(knob.name, list(knob.choices))
    low, high = knob.ends
    if knob.whole:
        return library.UniformIntegerHyperparameter(knob.name, int(low), int(high), log=knob.log)
    return library.UniformFloatHyperparameter(knob.name, low, high, log=knob.log)


def _plain(knob: Knob, value: Any) -> Any:
    if knob.choices:
        return next(option for option in knob.choices if option == value)
    return int(value) if knob.whole else min(max(float(value), knob.ends[0]), knob.ends[1])
