"""Made problems of numbers, whole numbers and categories, one of them with parameters that only some algorithms have."""

from collections.abc import Iterator, Mapping, Sequence
from math import log2, log10
from pathlib import Path
from typing import Any

import numpy as np

from quality.problem import Knob, Problem, shift_name, shifted_optimum, to_unit
from tunesmith.spaces._distributions import Choice, Int, LogInt, LogUniform, Uniform

Values = Mapping[str, Any]

BEST = 0.05

NETWORK = (
    Knob("rate", LogUniform(1e-5, 1.0)),
    Knob("optimizer", Choice(("sgd", "adam", "rmsprop"))),
    Knob("batch", LogInt(8, 512)),
    Knob("layers", Int(1, 8)),
    Knob("units", LogInt(8, 1024)),
    Knob("activation", Choice(("relu", "elu", "tanh", "gelu", "selu"))),
    Knob("dropout", Uniform(0.0, 0.9)),
    Knob("momentum", Uniform(0.0, 1.0)),
)

ALGORITHMS = ("svm", "forest", "boosting", "neighbours", "network")
CASH = (
    Knob("algorithm", Choice(ALGORITHMS)),
    Knob("cost", LogUniform(1e-4, 1e4), "algorithm", ("svm",)),
    Knob("kernel", Choice(("rbf", "poly", "linear")), "algorithm", ("svm",)),
    Knob("gamma", LogUniform(1e-5, 10.0), "kernel", ("rbf", "poly")),
    Knob("degree", Int(2, 5), "kernel", ("poly",)),
    Knob("trees", LogInt(10, 1000), "algorithm", ("forest",)),
    Knob("features", Uniform(0.05, 1.0), "algorithm", ("forest",)),
    Knob("leaf", LogInt(1, 64), "algorithm", ("forest",)),
    Knob("eta", LogUniform(1e-3, 1.0), "algorithm", ("boosting",)),
    Knob("rounds", LogInt(10, 2000), "algorithm", ("boosting",)),
    Knob("depth", Int(1, 12), "algorithm", ("boosting",)),
    Knob("subsample", Uniform(0.2, 1.0), "algorithm", ("boosting",)),
    Knob("k", LogInt(1, 100), "algorithm", ("neighbours",)),
    Knob("weights", Choice(("uniform", "distance")), "algorithm", ("neighbours",)),
    Knob("rate", LogUniform(1e-5, 1.0), "algorithm", ("network",)),
    Knob("decay", LogUniform(1e-7, 1e-1), "algorithm", ("network",)),
    Knob("width", LogInt(8, 512), "algorithm", ("network",)),
    Knob("act", Choice(("relu", "tanh", "logistic")), "algorithm", ("network",)),
)
# What the algorithms reach at best above the best one, and how sharp their optima are.
FLOORS = (0.0, 0.02, 0.03, 0.05, 0.08)
SHARPNESS = (3.0, 4.0, 3.0, 2.0, 2.0)


def find(data: Path | None, shift: int) -> Iterator[Problem]:
    """Yield the two problems; they need no data."""
    del data
    yield _network(shift_name("network8", shift), shift)
    yield _cash(shift_name("cash5", shift), shift)


def place_of(name: str, shift: int, knobs: Sequence[Knob]) -> dict[str, Any]:
    """Return the candidate that shall be the best; of nested parameters it may hold some that are not active."""
    units = shifted_optimum(name, shift, len(knobs))
    return {knob.name: knob.distribution.quantile(float(unit)) for knob, unit in zip(knobs, units, strict=True)}


def _network(name: str, shift: int) -> Problem:
    """A network's error: the rate must fit optimizer and batch, layers trade for units, activations differ in depth."""
    target = place_of(name, shift, NETWORK)
    rng = np.random.default_rng(shift)
    fitting = {kind: float(rng.uniform(-1, 1)) for kind in ("sgd", "adam", "rmsprop")}
    costs = {kind: float(cost) for kind, cost in zip(NETWORK[5].choices, rng.uniform(0.01, 0.1, 5), strict=True)}

    def rate(candidate: Values) -> float:
        return log10(candidate["rate"]) - fitting[candidate["optimizer"]] - 0.5 * log10(candidate["batch"])

    def size(candidate: Values) -> float:
        return log2(candidate["units"]) + 2 * log2(candidate["layers"])

    def loss(candidate: Values) -> float:
        other = candidate["activation"] != target["activation"]
        wrong = 0.03 * (candidate["optimizer"] != target["optimizer"]) + other * costs[candidate["activation"]]
        depth = (0.02 if other else 0.005) * (candidate["layers"] - target["layers"]) ** 2
        bend = (rate(candidate) - rate(target)) ** 2 / 3 + 0.02 * (size(candidate) - size(target)) ** 2
        rest = 0.3 * (candidate["dropout"] - target["dropout"]) ** 2 + 0.1 * (candidate["momentum"] - target["momentum"]) ** 2
        batch = 0.01 * (log2(candidate["batch"]) - log2(target["batch"])) ** 2
        return BEST + float(1 - np.exp(-wrong - depth - bend - rest - batch))

    return Problem(name, "mixed", NETWORK, loss, BEST, target, usual=True)


def _cash(name: str, shift: int) -> Problem:
    """Choosing an algorithm with its parameters: each has a floor of its own and a sharper or wider optimum."""
    targets = place_of(name, shift, CASH)
    order = np.random.default_rng(shift).permutation(len(ALGORITHMS))
    rank = {ALGORITHMS[index]: place for place, index in enumerate(order)}
    target = {"algorithm": ALGORITHMS[order[0]]}
    for knob in CASH[1:]:
        if knob.active(target):
            target[knob.name] = targets[knob.name]

    def loss(candidate: Values) -> float:
        own = [knob for knob in CASH[1:] if knob.name in candidate]
        there, here = to_unit(own, targets), to_unit(own, candidate)
        missed = sum(0.05 * (a != b) if knob.choices else (a - b) ** 2 for knob, a, b in zip(own, here, there, strict=True))
        place = rank[candidate["algorithm"]]
        return BEST + FLOORS[place] + 0.4 * float(1 - np.exp(-SHARPNESS[place] * missed))

    return Problem(name, "mixed", CASH, loss, BEST, target, usual=True)
