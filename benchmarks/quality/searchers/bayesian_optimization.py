"""The package bayesian-optimization (its Gaussian process), with its typed parameters; logarithmic ones are told by exponent.

No conditions: it is given all parameters, and what is inactive is ignored. No failures: told as the worst loss so far. In
batches categories are whole numbers, since its constant liar knows no categories.
"""

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from quality.problem import Knob
from quality.searchers._flat import active, told, whole_candidate
from tunesmith.spaces._space import Candidate

REQUIRES = "bayes_opt"
FIRST = 5  # random ones, its own loop's default


def names() -> list[str]:
    """Return the one optimizer."""
    return ["bayesian-optimization"]


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> "BayesianOptimization":
    """Return an optimizer with its defaults, several at a time by its constant liar."""
    del name, trials
    return BayesianOptimization(knobs, seed, batch)


class BayesianOptimization:
    """An optimizer that maximises."""

    def __init__(self, knobs: Sequence[Knob], seed: int, batch: int) -> None:
        self.knobs, self.counted = knobs, batch > 1
        acquisition = import_module("bayes_opt.acquisition")
        liar = acquisition.ConstantLiar(acquisition.UpperConfidenceBound()) if batch > 1 else None
        bounds = {knob.name: _bounds(knob, self.counted) for knob in knobs}
        self.optimizer = import_module(REQUIRES).BayesianOptimization(
            *(None, bounds), acquisition_function=liar, random_state=seed, verbose=0, allow_duplicate_points=True
        )
        self.asked: list[dict[str, Any]] = []
        self.worst: float | None = None

    def ask(self, count: int) -> Sequence[Candidate]:
        self.asked = [self._one() for _ in range(count)]
        return [active(self.knobs, {knob.name: _plain(knob, point[knob.name]) for knob in self.knobs}) for point in self.asked]

    def _one(self) -> dict[str, Any]:
        return self.optimizer.suggest() if len(self.optimizer.space) >= FIRST else self.optimizer.random_sample(1)[0]

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        losses, self.worst = told(results, self.worst)
        for point, loss in zip(self.asked, losses, strict=True):
            self.optimizer.register(point, -loss)

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        for candidate, loss in history:
            full = whole_candidate(self.knobs, candidate)
            self.optimizer.register({knob.name: self._told(knob, full[knob.name]) for knob in self.knobs}, -loss)

    def _told(self, knob: Knob, value: Any) -> Any:
        if knob.choices:
            return knob.choices.index(value) if self.counted else value
        return math.log(value) if knob.log else value


def _bounds(knob: Knob, counted: bool) -> Any:
    if knob.choices:
        return (0, len(knob.choices) - 1, int) if counted else knob.choices
    low, high = knob.ends
    if knob.log:
        return math.log(low), math.log(high)
    return (int(low), int(high), int) if knob.whole else (low, high)


def _plain(knob: Knob, value: Any) -> Any:
    if knob.choices:
        return knob.choices[int(value)] if isinstance(value, int | float) else next(o for o in knob.choices if o == value)
    number = math.exp(value) if knob.log else float(value)
    bounded = min(max(number, knob.ends[0]), knob.ends[1])
    return round(bounded) if knob.whole else bounded
