"""Tunesmith's strategies: every one that is there, asked through the function that all hosts ask."""

from collections.abc import Sequence
from dataclasses import replace

import yaml

from quality.problem import Knob, declared
from quality.searchers import OURS
from tunesmith.registry import build, discover
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._strategy import Strategy, propose
from tunesmith.study import EarlierStudy, Objective, State, StudyView, Trial

REQUIRES = "tunesmith"
PACKAGE = "tunesmith.strategies"


def names() -> list[str]:
    """Return one name a strategy."""
    return [f"{OURS} {name}" for name in discover(PACKAGE)]


def make(name: str, knobs: Sequence[Knob], seed: int, trials: int, batch: int) -> "Ours":
    """Return the strategy with the settings behind its name."""
    _, strategy, *rest = name.split(" ")
    settings = {key: yaml.safe_load(value) for key, value in (pair.split("=") for pair in ",".join(rest).split(",") if pair)}
    return Ours(build(PACKAGE, strategy, Strategy, settings, "strategy"), declared(knobs), seed, trials, batch)


class Ours:
    """A pure strategy with the study that it is asked about."""

    def __init__(self, strategy: Strategy, space: Space, seed: int, trials: int, batch: int) -> None:
        self.strategy = strategy
        self.space = space
        self.study = StudyView(space, Objective("loss"), seed=seed, budget=trials, parallel=batch)
        self.trials: list[Trial] = []

    def after(self, earlier: tuple[EarlierStudy, ...], first: tuple[Candidate, ...]) -> "Ours":
        """Return the searcher as it begins after earlier studies, with candidates to try first."""
        self.study = replace(self.study, earlier=earlier, first=first)
        return self

    def ask(self, count: int) -> Sequence[Candidate]:
        view = replace(self.study, trials=tuple(self.trials), issued=len(self.trials))
        return [proposal.candidate for proposal in propose(self.strategy, view, count)]

    def tell(self, results: Sequence[tuple[Candidate, float | None]]) -> None:
        for candidate, loss in results:
            state = State.FAILED if loss is None else State.FINISHED
            metrics = {} if loss is None else {"loss": loss}
            self.trials.append(Trial(len(self.trials), candidate, state, metrics))

    def load(self, history: Sequence[tuple[Candidate, float]]) -> None:
        self.tell(history)
