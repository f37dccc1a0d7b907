"""Who searches: Tunesmith's strategies, and Optuna's samplers for several objectives."""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from quality.searchers.optuna import Optuna
from trade_offs.problems import TradeOff
from tunesmith.registry import build
from tunesmith.strategies._strategy import Strategy, propose
from tunesmith.study import Objective, State, StudyView, Trial

OURS = "tunesmith"
METRICS: tuple[str, ...] = ("first", "second")


def _optuna(name: str, seed: int) -> Any:
    import optuna

    samplers: dict[str, Callable[[], Any]] = {
        "optuna nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed),
        "optuna tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "optuna group tpe": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True),
        "optuna gp": lambda: optuna.samplers.GPSampler(seed=seed),
    }
    return samplers[name]()


PEERS = ("optuna nsga2", "optuna tpe", "optuna group tpe", *(["optuna gp"] if find_spec("torch") else []))


def search(problem: TradeOff, searcher: str, seed: int, trials: int) -> np.ndarray:
    """Return the losses of the trials in order, shape (trials, 2)."""
    if searcher.startswith(f"{OURS} "):
        return _search_ours(problem, searcher.removeprefix(f"{OURS} "), seed, trials)
    return _search_optuna(problem, searcher, seed, trials)


def _search_ours(problem: TradeOff, name: str, seed: int, trials: int) -> np.ndarray:
    strategy = build("tunesmith.strategies", name, Strategy, {}, "strategy")
    past: list[Trial] = []
    for number in range(trials):
        view = StudyView(
            *(problem.space, Objective(METRICS[0]), tuple(past), number, seed),
            others=(Objective(METRICS[1]),),
            budget=trials,
        )
        candidate = propose(strategy, view, 1)[0].candidate
        metrics: dict[str, float] = dict(zip(METRICS, problem.losses(candidate), strict=True))
        past.append(Trial(number, candidate, State.FINISHED, metrics))
    return np.array([[trial.metrics[name] for name in METRICS] for trial in past])


def _search_optuna(problem: TradeOff, name: str, seed: int, trials: int) -> np.ndarray:
    import optuna

    warnings.simplefilter("ignore")
    searcher = Optuna(_optuna(name, seed), problem.knobs)
    searcher.study = optuna.create_study(sampler=_optuna(name, seed), directions=["minimize", "minimize"])
    found = []
    for _ in range(trials):
        (candidate,) = searcher.ask(1)
        found.append(problem.losses(candidate))
        searcher.study.tell(searcher.asked[0], found[-1])
    return np.array(found)
