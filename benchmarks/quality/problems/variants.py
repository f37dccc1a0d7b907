"""Made problems with noise, or with a corner where all trials fail. Noisy ones are judged by the incumbent's true value."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from quality.problem import Problem, TrialFailed, to_unit
from quality.problems import continuous, mixed
from tunesmith.spaces._space import Candidate

# The noise's standard deviation.
NOISY = {"branin": 5.0, "hartmann6": 0.2, "network8": 0.05, "cash5": 0.03}
FAILING = {"branin": 0.25, "hartmann6": 0.4, "network8": 0.3, "cash5": 0.25}
# One of each kind, of numbers and of the rest.
USUAL = ("hartmann6-noisy", "network8-failing")


def find(data: Path | None, shift: int) -> Iterator[Problem]:
    """Yield the variants; they need no data."""
    made = [*continuous.find(data, shift), *mixed.find(data, shift)]
    for problem in made:
        kind = problem.name.split("/")[0]
        if kind in NOISY:
            yield _variant(problem, f"{kind}-noisy", observe=_noisy(problem.loss, NOISY[kind]))
        if kind in FAILING:
            yield _variant(problem, f"{kind}-failing", loss=_failing(problem, FAILING[kind], shift))


def _variant(problem: Problem, kind: str, **changed: Callable[..., float]) -> Problem:
    name = problem.name.replace(problem.name.split("/")[0], kind)
    return replace(problem, name=name, usual=kind in USUAL, **changed)


def _noisy(loss: Callable[[Candidate], float], deviation: float) -> Callable[[Candidate, np.random.Generator], float]:
    return lambda candidate, rng: loss(candidate) + deviation * float(rng.standard_normal())


def _failing(problem: Problem, share: float, shift: int) -> Callable[[Candidate], float]:
    """The loss, failing beyond a slanted plane that leaves about `share` of the cube and not the optimum."""
    rng = np.random.default_rng([len(problem.knobs), shift])
    normal = rng.standard_normal(len(problem.knobs))

    def height(candidate: Candidate) -> float:
        return float(np.nan_to_num(to_unit(problem.knobs, candidate) - 0.5) @ normal)

    sign = -np.sign(height(problem.optimum)) or 1.0

    @cache
    def limit() -> float:
        found = np.quantile([sign * height(problem.space.sample(rng)) for _ in range(1000)], 1 - share)
        return max(float(found), 0.0)

    def loss(candidate: Candidate) -> float:
        if sign * height(candidate) > limit():
            raise TrialFailed("beyond the plane")
        return problem.loss(candidate)

    return loss
