"""What the advice after a search is worth: going on in the refined space or as it was, and how well the forecasts hold.

Toy functions, by the losses without noise; --trials first, then --more in either space (the refined one begins with the
candidates of the first part that fit it, as a warm start does). The forecast is that of the search that goes on as it was; of
two objectives it is that of the front's hypervolume.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import log10
from typing import Any

import numpy as np

from measure import Measurement, parser, show
from tunesmith.advice._evidence import gather
from tunesmith.advice._front import fit_front
from tunesmith.advice._gain import WORTH, Forecast, fit_tail
from tunesmith.advice.advise import advise_on
from tunesmith.aims import Aims, Objective
from tunesmith.pareto import hypervolume
from tunesmith.registry import build
from tunesmith.spaces._space import Candidate
from tunesmith.spaces.parameters import Parameters
from tunesmith.strategies._strategy import Strategy, propose
from tunesmith.study import State, StudyView, Trial

AIMS = Aims((Objective("loss"),))
FIRST = 10


def unit(count: int) -> dict[str, Any]:
    """Return so many parameters between 0 and 1."""
    return {f"x{i}": {"uniform": [0, 1]} for i in range(count)}


def bowl(candidate: Mapping[str, Any]) -> float:
    """Five parameters that all matter alike."""
    return sum((candidate[f"x{i}"] - 0.3 - 0.1 * i) ** 2 for i in range(5))


def sparse(candidate: Mapping[str, Any]) -> float:
    """Three of twelve parameters matter."""
    return 4 * (candidate["x0"] - 0.3) ** 2 + 2 * (candidate["x1"] - 0.7) ** 2 + (candidate["x2"] - 0.1) ** 2


def mixed(candidate: Mapping[str, Any]) -> float:
    """A rate, an option and two of six numbers matter, one of them most."""
    numbers = 4 * (candidate["x0"] - 0.3) ** 2 + 0.3 * (candidate["x1"] - 0.8) ** 2
    return numbers + 0.2 * (candidate["kind"] != "b") + 0.05 * (log10(candidate["rate"]) + 3) ** 2


def nested(candidate: Mapping[str, Any]) -> float:
    """One optimizer is better, the width is best beyond its upper end."""
    rate = (log10(candidate["rate"]) + 3) ** 2
    return rate + 1.5 * (candidate["optimizer"] == "sgd") + 0.02 * abs(80 - candidate["width"])


def valley(candidate: Mapping[str, Any]) -> float:
    """Two parameters have to be alike, whatever they are."""
    return abs(candidate["x0"] - candidate["x1"]) + (candidate["x2"] - 0.95) ** 2


PROBLEMS = {
    "bowl": (unit(5), bowl),
    "sparse": (unit(12), sparse),
    "mixed": ({**unit(6), "kind": {"choice": ["a", "b", "c"]}, "rate": {"loguniform": [1e-5, 1]}}, mixed),
    "nested": (
        {
            **{"rate": {"loguniform": [1e-5, 1]}, "width": {"int": [1, 64]}, "idle": {"uniform": [0, 1]}},
            "optimizer": {"choice": {"sgd": {"momentum": {"uniform": [0, 0.99]}}, "adam": {"beta": {"choice": [0.9, 0.99]}}}},
        },
        nested,
    ),
    "valley": (unit(4), valley),
}

# Those with numbers between 0 and 1, which a second objective can pull elsewhere.
FRONTS = ("bowl", "sparse", "mixed", "valley")


@dataclass(frozen=True)
class Outcome:
    """What was foretold of going on as it was, and what came."""

    foretold: Forecast
    gain: float
    worthwhile: bool

    @property
    def held(self) -> bool:
        """Whether the interval held the gain."""
        return self.foretold.low <= self.gain <= self.foretold.high


@dataclass(frozen=True)
class Cell:
    """One search by one seed: the best losses, and how the forecast held."""

    start: float
    same: float
    refined: float
    outcome: Outcome


def play(strategy: Strategy, name: str, trials: int, study: StudyView) -> StudyView:
    """Go on with a study until it has so many trials."""
    for number in range(len(study.trials), trials):
        candidate = propose(strategy, study, 1)[0].candidate
        metrics = {"loss": float(PROBLEMS[name][1](candidate)), "far": far(candidate)}
        trial = Trial(number, candidate, State.FINISHED, metrics, seconds=60.0)
        study = replace(study, trials=(*study.trials, trial), issued=number + 1)
    return study


def cell(task: tuple[str, str, int], trials: int, more: int) -> Cell:
    """Search, go on in both ways, and compare."""
    name, strategy_name, seed = task
    parameters = PROBLEMS[name][0]
    space = Parameters(parameters)
    strategy = build("tunesmith.strategies", strategy_name, Strategy, {}, "strategy")
    study = play(strategy, name, trials, StudyView(space, AIMS.objectives[0], seed=seed))
    same = _best(play(strategy, name, trials + more, study))
    content = {"space": space.to_json(), **AIMS.to_json()}
    following = advise_on(content, list(study.trials)).space
    refined = same
    if following:
        view = StudyView(following, AIMS.objectives[0], seed=seed + 1000, first=_bests(study))
        refined = min(_best(study), _best(play(strategy, name, more, view)))
    tail = fit_tail(gather(study.trials, AIMS))
    assert tail is not None
    gain = _best(study) - same
    return Cell(_best(study), same, refined, Outcome(tail.forecast(more), gain, gain >= WORTH * tail.way))


def front_cell(task: tuple[str, str, int], trials: int, more: int) -> Outcome:
    """Search for two objectives, a problem's loss and the distance to a point beside its optimum, and go on."""
    name, strategy_name, seed = task
    objectives = (Objective("loss"), Objective("far"))
    strategy = build("tunesmith.strategies", strategy_name, Strategy, {}, "strategy")
    space = Parameters(PROBLEMS[name][0])
    study = play(strategy, name, trials, StudyView(space, objectives[0], seed=seed, others=objectives[1:]))
    rows = np.array([[t.metrics[o.metric] for o in objectives] for t in play(strategy, name, trials + more, study).trials])
    aims = Aims(objectives)
    tail = fit_front(gather(study.trials, aims), aims)
    assert tail is not None
    low, high = rows[:trials].min(axis=0), rows[:trials].max(axis=0)
    now, later = (hypervolume((rows[:count] - low) / (high - low), np.ones(2)) for count in (trials, trials + more))
    return Outcome(tail.forecast(more), later - now, later - now >= WORTH * tail.way)


def far(candidate: Mapping[str, Any]) -> float:
    """The distance of all numbers between 0 and 1 from a point where no problem has its optimum."""
    return sum((value - 0.6) ** 2 for name, value in sorted(candidate.items()) if name.startswith("x"))


def _best(study: StudyView) -> float:
    return min(study.losses().values())


def _bests(study: StudyView) -> tuple[Candidate, ...]:
    ordered = sorted(study.trials, key=lambda trial: trial.metrics["loss"])
    return tuple(trial.candidate for trial in ordered[:FIRST])


def measurements(cells: Mapping[tuple[str, str, int], Cell], strategies: list[str]) -> Iterator[Measurement]:
    """Yield the gain of going on, in both spaces, as shares of what was left to the best that was found by anyone."""
    floors = {name: min(min(c.same, c.refined) for (n, _, _), c in cells.items() if n == name) for name in PROBLEMS}
    for strategy in strategies:
        for name in PROBLEMS:
            mine = [found for (problem, by, _), found in cells.items() if (problem, by) == (name, strategy)]
            for label in ("same", "refined"):
                left = [(getattr(found, label) - floors[name]) / max(found.start - floors[name], 1e-12) for found in mine]
                yield Measurement(f"{strategy} on {name}, {label} space", "of the regret left", left)
        mine = [found for (_, by, _), found in cells.items() if by == strategy]
        yield Measurement(f"{strategy}: refined is better", "of searches", [float(np.mean([c.refined < c.same for c in mine]))])
        yield Measurement(f"{strategy}: refined is worse", "of searches", [float(np.mean([c.refined > c.same for c in mine]))])
        yield from calibration(strategy, [found.outcome for found in mine])


def calibration(who: str, found: list[Outcome]) -> Iterator[Measurement]:
    """Yield how what was foretold compares with what came."""
    shares = {
        "worthwhile gains foretold": np.mean([each.foretold.worthwhile for each in found]),
        "worthwhile gains that came": np.mean([each.worthwhile for each in found]),
        "80 % intervals that held": np.mean([each.held for each in found]),
    }
    for name, share in shares.items():
        yield Measurement(f"{who}: {name}", "of searches", [float(share)])
    ratio = np.mean([each.foretold.gain for each in found]) / max(np.mean([each.gain for each in found]), 1e-12)
    yield Measurement(f"{who}: gains foretold", "of those that came", [float(ratio)])


def main() -> None:
    """Run the benchmark."""
    options = parser(__doc__)
    options.add_argument("--strategies", nargs="+", default=["random", "tpe"], help="names of strategies")
    options.add_argument("--seeds", type=int, default=10, help="searches of each problem")
    options.add_argument("--trials", type=int, default=60, help="of the search that is advised on")
    options.add_argument("--more", type=int, default=40, help="trials after it")
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    tasks = [(name, by, seed) for name in PROBLEMS for by in given.strategies for seed in range(given.seeds)]
    with ProcessPoolExecutor(given.processes) as pool:
        cells = dict(zip(tasks, pool.map(partial(cell, trials=given.trials, more=given.more), tasks), strict=True))
        trade_offs = [task for task in tasks if task[0] in FRONTS]
        judge = partial(front_cell, trials=given.trials, more=given.more)
        outcomes = dict(zip(trade_offs, pool.map(judge, trade_offs), strict=True))
    settings = {"trials": given.trials, "more": given.more, "seeds": given.seeds}
    shown = [*measurements(cells, given.strategies)]
    for strategy in given.strategies:
        mine = [found for (_, by, _), found in outcomes.items() if by == strategy]
        shown += calibration(f"{strategy}, two objectives", mine)
    show("Advice after a search", shown, settings, given.json)


if __name__ == "__main__":
    main()
