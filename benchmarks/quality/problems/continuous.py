"""Well-known functions of numbers, moved so that the optimum is neither in the centre nor on the edge."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quality.problem import Knob, Problem, shift_name, shifted_optimum
from tunesmith.spaces._distributions import LogUniform, Uniform
from tunesmith.spaces._space import Candidate

Function = Callable[[np.ndarray], float]

HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_SHAPES = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
HARTMANN_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
HARTMANN_OPTIMUM = (0.20168951, 0.15001069, 0.47687398, 0.27533243, 0.31165162, 0.65730053)


def branin(x: np.ndarray) -> float:
    """Three equal valleys."""
    bend = x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6
    return float(bend**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10)


def hartmann(x: np.ndarray) -> float:
    """Four dents of different width."""
    return float(-HARTMANN_WEIGHTS @ np.exp(-np.sum(HARTMANN_SHAPES * (x - HARTMANN_CENTRES) ** 2, axis=1)))


def ackley(x: np.ndarray) -> float:
    """Flat far out, many dents, one funnel."""
    waves = np.exp(np.mean(np.cos(2 * np.pi * x)))
    return float(-20 * np.exp(-0.2 * np.sqrt(np.mean(x**2))) - waves + 20 + np.e)


def rosenbrock(x: np.ndarray) -> float:
    """A bent valley between walls that are higher by orders."""
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


def levy(x: np.ndarray) -> float:
    """A bowl with waves."""
    w = 1 + (x - 1) / 4
    middle = np.sum((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2))
    return float(np.sin(np.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2))


def ellipsoid(x: np.ndarray) -> float:
    """A bowl of which some directions matter a thousand times more than others."""
    return float(np.sum(10 ** (3 * np.arange(len(x)) / (len(x) - 1)) * x**2))


def machine(x: np.ndarray) -> float:
    """An error rate over the logarithms of cost, kernel width and tolerance: a slanted valley in a plateau."""
    slant = (x[0] + 0.7 * x[1]) ** 2 / 4 + x[1] ** 2 / 2 + x[2] ** 2 / 18
    return float(0.05 + 0.45 * (1 - np.exp(-slant)))


@dataclass(frozen=True)
class Form:
    """A function with its range, the place and the value of its optimum."""

    function: Function
    low: tuple[float, ...]
    high: tuple[float, ...]
    optimum: tuple[float, ...]
    best: float
    log: bool = False
    usual: bool = False


def _cube(function: Function, size: int, low: float, high: float, optimum: float, usual: bool = False) -> Form:
    return Form(function, (low,) * size, (high,) * size, (optimum,) * size, 0.0, usual=usual)


FORMS = {
    "branin": Form(branin, (-5.0, 0.0), (10.0, 15.0), (np.pi, 2.275), 0.39788735772973816, usual=True),
    "hartmann6": Form(hartmann, (0.0,) * 6, (1.0,) * 6, HARTMANN_OPTIMUM, -3.3223680114155147, usual=True),
    "ackley10": _cube(ackley, 10, -32.768, 32.768, 0.0, usual=True),
    "rosenbrock5": _cube(rosenbrock, 5, -5.0, 10.0, 1.0, usual=True),
    "levy8": _cube(levy, 8, -10.0, 10.0, 1.0),
    "ellipsoid30": _cube(ellipsoid, 30, -5.0, 5.0, 0.0),
    "svm3": Form(machine, (-5.0, -6.0, -6.0), (5.0, 3.0, 1.0), (0.0, 0.0, 0.0), 0.05, log=True, usual=True),
}


def find(data: Path | None, shift: int) -> Iterator[Problem]:
    """Yield the functions; they need no data."""
    del data
    for name, form in FORMS.items():
        yield _problem(shift_name(name, shift), form, shifted_optimum(name, shift, len(form.low)))


def _problem(name: str, form: Form, place: np.ndarray) -> Problem:
    low, high = np.array(form.low), np.array(form.high)
    moved = low + place * (high - low) - np.array(form.optimum)
    made = LogUniform if form.log else Uniform
    ends = [(10**a, 10**b) if form.log else (a, b) for a, b in zip(form.low, form.high, strict=True)]
    knobs = tuple(Knob(f"x{i}", made(*pair)) for i, pair in enumerate(ends))

    def loss(candidate: Candidate) -> float:
        x = np.array([candidate[knob.name] for knob in knobs], dtype=float)
        return form.function((np.log10(x) if form.log else x) - moved)

    optimum = {knob.name: knob.distribution.quantile(float(unit)) for knob, unit in zip(knobs, place, strict=True)}
    return Problem(name, "continuous", knobs, loss, form.best, optimum, usual=form.usual)
