"""Optuna's TPE with its pruners, at their defaults; Hyperband is told the most steps, as its documentation advises."""

from typing import Any

import optuna

from quality.problem import Knob
from quality.searchers.optuna import _suggest
from tunesmith.spaces._space import Candidate
from tunesmith.study import State

STATES = {
    State.FINISHED: optuna.trial.TrialState.COMPLETE,
    State.STOPPED: optuna.trial.TrialState.PRUNED,
    State.FAILED: optuna.trial.TrialState.FAIL,
}


def make(strategy: str, scheduler: str, knobs: tuple[Knob, ...], seed: int, workers: int, steps: int, trials: int) -> "Optuna":
    """Return a study in memory."""
    del trials
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed, constant_liar=workers > 1),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
    }[strategy]()
    pruner = {
        "none": optuna.pruners.NopPruner,
        "median": optuna.pruners.MedianPruner,
        "halving": optuna.pruners.SuccessiveHalvingPruner,
        "hyperband": lambda: optuna.pruners.HyperbandPruner(max_resource=steps),
    }[scheduler]()
    return Optuna(optuna.create_study(study_name=f"fidelity-{seed}", sampler=sampler, pruner=pruner), knobs)


class Optuna:
    """A study whose trials are asked for and told."""

    def __init__(self, study: optuna.Study, knobs: tuple[Knob, ...]) -> None:
        self.study, self.knobs = study, knobs
        self.trials: list[optuna.Trial] = []
        self.losses: list[list[float]] = []

    def ask(self) -> Candidate:
        trial = self.study.ask()
        self.trials.append(trial)
        self.losses.append([])
        candidate: dict[str, Any] = {}
        for knob in self.knobs:
            if knob.active(candidate):
                candidate[knob.name] = _suggest(trial, knob)
        return candidate

    def report(self, number: int, loss: float) -> bool:
        self.losses[number].append(loss)
        self.trials[number].report(loss, len(self.losses[number]))
        return self.trials[number].should_prune()

    def end(self, number: int, state: State) -> None:
        finished = state is State.FINISHED
        self.study.tell(self.trials[number], min(self.losses[number]) if finished else None, state=STATES[state])
