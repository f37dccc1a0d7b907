"""Nevergrad's NGOpt, told the budget and the number of workers. It is given all parameters, and what is inactive is ignored.

Failures are told as the worst loss so far.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from quality.problem import Knob
from quality.searchers._flat import active, told, whole_candidate
from tunesmith.spaces._space import Candidate

REQUIRES = "nevergrad"


def names() -> list[str]:
    """Return the one optimizer."""
    return ["nevergrad ngopt"]


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> "Nevergrad":
    """Return an optimizer for so many trials."""
    del name
    return Nevergrad(knobs, seed, trials, batch)


def _library() -> Any:
    """Return nevergrad, which cannot be loaded beside a recent bayesian-optimization unless that seems missing."""
    if "nevergrad" not in sys.modules:
        hidden = sys.modules.get("bayes_opt")
        sys.modules["bayes_opt"] = None  # pyright: ignore[reportArgumentType]  # the way to make an import fail
        try:
            import_module(REQUIRES)
        finally:
            del sys.modules["bayes_opt"]
            if hidden is not None:
                sys.modules["bayes_opt"] = hidden
    # It makes numbers of arrays of one element, which NumPy 2.4 refuses.
    vars(import_module("nevergrad.optimization.metamodel"))["float"] = lambda value: np.asarray(value).item()
    return import_module(REQUIRES)


class Nevergrad:
    """An optimizer that minimises."""

    def __init__(self, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> None:
        self.knobs, library = knobs, _library()
        space = library.p.Dict(**{knob.name: _parameter(library.p, knob) for knob in knobs})
        space.random_state.seed(seed)
        self.optimizer = library.optimizers.NGOpt(parametrization=space, budget=trials, num_workers=batch)
        self.asked: list[Any] = []
        self.worst: float | None = None

    def ask(self, count: int) -> Sequence[Candidate]:
        self.asked = [self.optimizer.ask() for _ in range(count)]
        return [
            active(self.knobs, {knob.name: _plain(knob, one.value[knob.name]) for knob in self.knobs}) for one in self.asked
        ]

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        losses, self.worst = told(results, self.worst)
        for one, loss in zip(self.asked, losses, strict=True):
            self.optimizer.tell(one, loss)

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        for candidate, loss in history:
            point = self.optimizer.parametrization.spawn_child(new_value=whole_candidate(self.knobs, candidate))
            self.optimizer.tell(point, loss)


def _parameter(p: Any, knob: Knob) -> Any:
    if knob.choices:
        return p.Choice(list(knob.choices))
    low, high = knob.ends
    made = p.Log(lower=low, upper=high) if knob.log else p.Scalar(lower=low, upper=high)
    return made.set_integer_casting() if knob.whole else made


def _plain(knob: Knob, value: Any) -> Any:
    if knob.choices:
        return value
    bounded = min(max(float(value), knob.ends[0]), knob.ends[1])
    return round(bounded) if knob.whole else bounded
