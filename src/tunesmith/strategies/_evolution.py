"""The states of a CMA-ES with margins, told of a study's ended trials generation by generation."""

import copy
import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.strategies._gp.cube import Column, Cube
from tunesmith.strategies._units import units_of
from tunesmith.study import State, StudyView

if TYPE_CHECKING:
    from cmaes import CatCMAwM

# Units of one value differ by rounding alone.
NEAR = 1e-9
# So many states of the optimizer are kept.
MOST_STATES = 64


class Form:
    """Which columns are continuous, ordered, or have options without an order; `varied`: those with more than one value."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        grids = [column.grid for column in columns]
        sizes = [0 if grid is None else len(grid) for grid in grids]
        options = [size if column.options or size == 2 else 0 for column, size in zip(columns, sizes, strict=True)]
        self.varied = [j for j, size in enumerate(sizes) if size != 1]
        self.continuous = [j for j in self.varied if not sizes[j]]
        self.ordered = [j for j in self.varied if sizes[j] and not options[j]]
        self.choices = [j for j in self.varied if options[j]]
        self.grids = {j: np.asarray(grids[j]) for j in (*self.ordered, *self.choices)}

    def optimizer(self, population: int | None, sigma: float) -> "CatCMAwM":
        from cmaes import CatCMAwM

        numbers = len(self.continuous) + len(self.ordered)
        return CatCMAwM(
            x_space=[[0.0, 1.0]] * len(self.continuous) or None,
            z_space=[self.grids[j].tolist() for j in self.ordered] or None,
            c_space=[len(self.grids[j]) for j in self.choices] or None,
            population_size=population,
            mean=np.full(numbers, 0.5) if numbers else None,
            sigma=sigma if numbers else None,
            cov=np.eye(numbers) if numbers else None,
        )

    def units(self, solution: "CatCMAwM.Solution", dimensions: int) -> np.ndarray:
        """Return what was asked as units of all columns."""
        units = np.full(dimensions, 0.5)
        if solution.x is not None:
            units[self.continuous] = solution.x
        if solution.z is not None:
            units[self.ordered] = solution.z
        if solution.c is not None:
            picked = solution.c.argmax(axis=1)
            units[self.choices] = [self.grids[j][option] for j, option in zip(self.choices, picked, strict=True)]
        return units

    def solution(self, units: np.ndarray) -> "CatCMAwM.Solution":
        """Return units as the optimizer wants to be told of them."""
        from cmaes import CatCMAwM

        numbers = units[[*self.continuous, *self.ordered]]
        options = np.zeros((len(self.choices), max((len(self.grids[j]) for j in self.choices), default=0)), dtype=bool)
        for row, j in enumerate(self.choices):
            options[row, np.abs(self.grids[j] - units[j]).argmin()] = True
        return CatCMAwM.Solution(
            units[self.continuous] if self.continuous else None,
            units[self.ordered] if self.ordered else None,
            options if self.choices else None,
            numbers if len(numbers) else None,
        )


class Evolution:
    """The optimizer's states before and after each full generation of a study's ended trials.

    A state depends on the generations before it alone, so those reached once are kept, by what the optimizer was told.
    """

    def __init__(self, cube: Cube, form: Form, population: int | None, sigma: float, study: StudyView) -> None:
        self.cube, self.form, self.seed = cube, form, study.seed
        ended = sorted((t for t in study.trials if t.state is not State.RUNNING), key=lambda trial: trial.number)
        merits = study.merits()
        self.numbers = np.array([trial.number for trial in ended], dtype=int)
        self.losses = np.array([merits.get(trial.number, np.inf) for trial in ended])
        self.units = np.stack([units_of(ended, column.name, column.distribution) for column in cube.columns], axis=1)
        self.first = form.optimizer(population, sigma)
        self.size = self.first.population_size
        # With parallel trials some of a generation were asked before the one before it was complete.
        self.reach = 2 + (study.parallel - 1) // self.size
        self.keys = self._keys(hashlib.sha256(repr((population, sigma, study.seed, self.reach, cube.columns)).encode()))

    def latest(self) -> "CatCMAwM":
        """Return the state that was told of every full generation."""
        states = self._known()
        for generation in range(max(states), len(self.keys) - 1):
            state = copy.deepcopy(states[generation])
            # Of trials that are all alike (all failed, a constant objective) any order would move the state by chance.
            if len(np.unique(self.losses[self._rows(generation)])) > 1:
                state.tell([(self._solution(i, states), float(rank)) for i, rank in self._ranked(generation)])
            states[generation + 1] = state
            states.pop(generation + 1 - self.reach, None)
            _remember(self.keys[generation + 1], state)
        return states[max(states)]

    def asked(self, state: "CatCMAwM", number: int, attempt: int = 0) -> "tuple[CatCMAwM.Solution, np.ndarray]":
        """Return what a state asks for trial `number`, and its settled units."""
        stream = np.random.SeedSequence([self.seed, number, attempt]).generate_state(1)
        state.reseed_rng(int(stream[0]))
        solution = state.ask()
        return solution, self.cube.settle(self.form.units(solution, len(self.cube.columns))[None])[0]

    def _keys(self, digest: "hashlib._Hash") -> list[bytes]:
        """Return what tells the state after each number of generations from all others."""
        keys = [digest.digest()]
        for generation in range(len(self.numbers) // self.size):
            rows = self._rows(generation)
            for told in (self.numbers[rows], np.array(self._ranked(generation)), self.units[rows]):
                digest.update(told.tobytes())
            keys.append(digest.digest())
        return keys

    def _rows(self, generation: int) -> slice:
        return slice(generation * self.size, (generation + 1) * self.size)

    def _ranked(self, generation: int) -> list[tuple[int, int]]:
        """Return positions and ranks of a generation's trials: infinite losses are no trouble for ranks, nor are equal ones."""
        ranks = np.argsort(np.argsort(self.losses[self._rows(generation)], kind="stable"), kind="stable")
        return list(enumerate(ranks.tolist(), generation * self.size))

    def _known(self) -> "dict[int, CatCMAwM]":
        """Return the last states that are at hand, as many as trials may have been asked by."""
        for last in range(len(self.keys) - 1, 0, -1):
            states = {n: _STATES.get(self.keys[n]) for n in range(max(last - self.reach + 1, 1), last + 1)}
            if None not in states.values():
                first = {0: self.first} if last < self.reach else {}
                return first | {n: copy.deepcopy(state) for n, state in states.items() if state is not None}
        return {0: self.first}

    def _solution(self, i: int, states: "dict[int, CatCMAwM]") -> "CatCMAwM.Solution":
        """Return trial i as the state that is to be told of it, or an earlier one, had asked for it; else as its values."""
        asked = [self.asked(states[n], int(self.numbers[i])) for n in sorted(states, reverse=True)]
        for solution, units in asked:
            if np.allclose(units, self.units[i], rtol=0, atol=NEAR, equal_nan=True):
                return solution
        unasked = self.form.units(asked[0][0], len(self.cube.columns))
        return self.form.solution(np.where(np.isnan(self.units[i]), unasked, self.units[i]))


_STATES: "OrderedDict[bytes, CatCMAwM]" = OrderedDict()


def _remember(key: bytes, state: "CatCMAwM") -> None:
    _STATES[key] = copy.deepcopy(state)
    while len(_STATES) > MOST_STATES:
        _STATES.popitem(last=False)
