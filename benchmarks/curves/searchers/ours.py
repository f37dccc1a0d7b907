"""Tunesmith's strategies and schedulers, asked as its engines ask them."""

from dataclasses import replace

import yaml

from quality.problem import Knob, declared
from tunesmith.registry import build
from tunesmith.schedulers._scheduler import Curve, Scheduler, read_scheduler
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._strategy import Strategy, propose
from tunesmith.study import Objective, State, StudyView, Trial


def make(strategy: str, scheduler: str, knobs: tuple[Knob, ...], seed: int, workers: int, steps: int, trials: int) -> "Ours":
    """Return a search; settings follow a scheduler's or strategy's name as in `halving:steps=2,factor=4`."""
    del steps
    name, settings = _settings(strategy)
    stopping, given = _settings(scheduler)
    built = build("tunesmith.strategies", name, Strategy, settings, "strategy")
    chosen = None if stopping == "none" else read_scheduler({"name": stopping, **given})
    return Ours(built, chosen, declared(knobs), (seed, workers, trials))


def _settings(text: str) -> tuple[str, dict[str, object]]:
    name, _, told = text.partition(":")
    pairs = [pair.split("=") for pair in told.split(",") if pair]
    return name, {key: yaml.safe_load(value) for key, value in pairs}


class Ours:
    """A study in memory."""

    def __init__(self, strategy: Strategy, scheduler: Scheduler | None, space: Space, sizes: tuple[int, int, int]) -> None:
        self.strategy, self.scheduler, self.space = strategy, scheduler, space
        self.seed, self.workers, self.budget = sizes
        self.trials: list[Trial] = []
        self.losses: list[list[float]] = []
        self.curves: dict[int, Curve] = {}

    def ask(self) -> Candidate:
        issued = len(self.trials)
        budget = None if self.scheduler else self.budget
        view = StudyView(
            *(self.space, Objective("loss"), tuple(self.trials), issued, self.seed),
            budget=budget,
            parallel=self.workers,
        )
        (proposal,) = propose(self.strategy, view, 1)
        self.trials.append(Trial(issued, proposal.candidate))
        self.losses.append([])
        return proposal.candidate

    def report(self, number: int, loss: float) -> bool:
        self.losses[number].append(loss)
        self.curves.pop(number, None)
        stop = bool(self.scheduler and self.scheduler.verdict(number, self.losses[number], self.curves))
        self.curves[number] = Curve(tuple(self.losses[number]), finished=False)
        return stop

    def end(self, number: int, state: State) -> None:
        losses = self.losses[number]
        metrics = {} if state is State.FAILED else {"loss": min(losses)}
        self.trials[number] = replace(self.trials[number], state=state, metrics=metrics)
        if state is State.FAILED:
            self.curves.pop(number, None)
        else:
            self.curves[number] = Curve(losses, finished=state is State.FINISHED)
