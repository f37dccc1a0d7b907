"""Who searches: `ours.py` and `optuna.py`, a strategy with a scheduler each, told by names such as `tunesmith tpe+halving`."""

from importlib import import_module
from typing import Protocol

from quality.problem import Knob
from tunesmith.spaces._space import Candidate
from tunesmith.study import State


class Searcher(Protocol):
    """Proposes trials, numbered from 0, and hears of their steps."""

    def ask(self) -> Candidate:
        """Return the next trial's candidate."""
        ...

    def report(self, number: int, loss: float) -> bool:
        """Take in the loss of a trial's next step; tells whether the trial should stop."""
        ...

    def end(self, number: int, state: State) -> None:
        """Take in that a trial has ended."""
        ...


def make(name: str, knobs: tuple[Knob, ...], seed: int, workers: int, steps: int, trials: int) -> Searcher:
    """Return the searcher of that name; `trials`: as many as the budget pays to the end, of `steps` steps each."""
    library, _, rest = name.partition(" ")
    strategy, _, scheduler = rest.partition("+")
    module = import_module(f"{__name__}.{'ours' if library == 'tunesmith' else library}")
    return module.make(strategy, scheduler or "none", knobs, seed, workers, steps, trials)
