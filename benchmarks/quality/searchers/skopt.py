"""Scikit-optimize's Gaussian process. It knows no conditions: it is given all parameters, and what is inactive is ignored.

It knows no failures either: a failed trial is told as the worst loss so far.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from quality.problem import Knob
from quality.searchers._flat import active, told, whole_candidate
from tunesmith.spaces._space import Candidate

REQUIRES = "skopt"


def names() -> list[str]:
    """Return the one optimizer."""
    return ["skopt gp"]


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> "Skopt":
    """Return an optimizer with its defaults."""
    del name, trials, batch
    return Skopt(knobs, seed)


class Skopt:
    """An optimizer that minimises; several at a time by its constant liar."""

    def __init__(self, knobs: Sequence[Knob], seed: int) -> None:
        self.knobs = knobs
        self.optimizer = import_module(REQUIRES).Optimizer([_dimension(knob) for knob in knobs], random_state=seed)
        self.asked: list[list[Any]] = []
        self.worst: float | None = None

    def ask(self, count: int) -> Sequence[Candidate]:
        points = [self.optimizer.ask()] if count == 1 else self.optimizer.ask(n_points=count)
        self.asked = [list(point) for point in points]
        return [
            active(self.knobs, {knob.name: _plain(knob, v) for knob, v in zip(self.knobs, p, strict=True)}) for p in self.asked
        ]

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        losses, self.worst = told(results, self.worst)
        self.optimizer.tell(self.asked, losses)

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        full = [whole_candidate(self.knobs, candidate) for candidate, _ in history]
        self.optimizer.tell([[each[knob.name] for knob in self.knobs] for each in full], [loss for _, loss in history])


def _dimension(knob: Knob) -> Any:
    space = import_module("skopt.space")
    if knob.choices:
        return space.Categorical(knob.choices)
    low, high = knob.ends
    prior = "log-uniform" if knob.log else "uniform"
    return space.Integer(int(low), int(high), prior=prior) if knob.whole else space.Real(low, high, prior=prior)


def _plain(knob: Knob, value: Any) -> Any:
    if knob.choices:
        return next(option for option in knob.choices if option == value)
    return int(value) if knob.whole else min(max(float(value), knob.ends[0]), knob.ends[1])
