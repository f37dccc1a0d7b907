"""What all spaces of cells have in common: how cells are stacked and trained, and a cell that is given instead of searched."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.spaces._cells.cell import Cell
from tunesmith.spaces._cells.drawing import describe_cell
from tunesmith.spaces._cells.features import KINDS, cell_features
from tunesmith.spaces._cells.network import CellNetwork, Stack, check_stages
from tunesmith.spaces._cells.proxies import PROXIES, cell_proxies
from tunesmith.spaces._distributions import Distribution, Value
from tunesmith.spaces._graph.graph import Costs, Draft
from tunesmith.spaces._graph.training import Trained, size_of_graph, train_graph, training_rules, tuning_of
from tunesmith.spaces._settings import decide, json_fields, read_fields, settled_fields
from tunesmith.spaces._space import Candidate, Chooser, Space, canonical
from tunesmith.spaces._training import Size, Training

SIZES = ("stages", "cells", "filters")
MOST = {"stages": 4, "cells": 32, "filters": 2048}
RULES = training_rules(dropout=0.0, learning_rate=2e-3)
MOST_REMEMBERED = 50_000


@dataclass(frozen=True)
class CellSpace(Space):
    """Networks of stacked cells. `stages`, `cells` a stage and `filters` of the first stage are those of the final model.

    `dropout`, `optimizer`, `learning_rate` and `batch_size` are one value, or a distribution to search. `cell`: a candidate's
    cell, by which the cell is given and all else is searched.
    """

    stages: int = 3
    cells: int = 3
    filters: int = 16
    dropout: Any = None
    optimizer: Any = None
    learning_rate: Any = None
    batch_size: Any = None
    cell: Mapping[str, Any] | None = None
    operations: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        for name in SIZES:
            if not 1 <= getattr(self, name) <= MOST[name]:
                raise SpecError(f"{name}: got {getattr(self, name)}; needs a whole number from 1 to {MOST[name]}")
        read_fields(self, RULES)
        self._check()
        if self.cell is not None:
            self._given()

    @abstractmethod
    def define_cells(self, choose: Chooser) -> dict[str, Cell]:
        """Choose the cells: `normal`, and `reduction` where the space has one."""

    @abstractmethod
    def draw(self, draft: Draft, network: CellNetwork) -> int:
        """Draw a network's stacked cells on an image; returns their output."""

    def _check(self) -> None:
        """Raise SpecError where a space's own settings are not allowed."""

    def define(self, choose: Chooser) -> CellNetwork:
        cells = self.define_cells(choose) if self.cell is None else self._given()
        values = decide(self, RULES, choose)
        stack = Stack(self.stages, self.cells, self.filters, values.pop("dropout"))
        return CellNetwork(cells, stack, Trained(**values), self.draw)

    def fit_to(self, data: DatasetInfo) -> "CellSpace":
        """Return the space; raises SpecError where the data are no images, or images too small for its stages."""
        if data.kind != "images":
            raise SpecError("kind: cells are for images, the data is a table; use kind: layers")
        check_stages(self.stages, data.input_shape)
        return self

    def resized(self, sizes: Mapping[str, int]) -> "CellSpace":
        """Return the same cells with other `stages`, `cells` or `filters`; raises SpecError for other names."""
        for name in sizes:
            if name not in SIZES:
                raise SpecError(f"{name}: is no size of this space; allowed: {', '.join(SIZES)}")
        return replace(self, **sizes)

    def with_cell(self, candidate: Candidate) -> "CellSpace":
        """Return the space in which a candidate's cell is given."""
        return replace(self, cell=self.cell_of(candidate))

    def tuned(self, candidate: Candidate) -> tuple["CellSpace", dict[str, Value]]:
        """Return the space of trainings of a candidate's cell, and the training that it has."""
        searched, found = tuning_of(self, candidate, RULES)
        return replace(self.with_cell(candidate), **searched), found

    def cell_of(self, candidate: Candidate) -> dict[str, Value]:
        """Return the part of a candidate that is its cell."""
        self.realize(candidate)
        return dict(self.cell) if self.cell is not None else {k: v for k, v in candidate.items() if k not in RULES}

    def pictures(self, candidate: Candidate) -> dict[str, list[dict[str, Any]]]:
        """Return the cells as they are drawn."""
        return {f"{name} cell": describe_cell(cell) for name, cell in self.realize(candidate).cells.items()}

    def identity(self, candidate: Candidate) -> str:
        key = canonical(candidate)
        known = self._identities.get(key)
        if known is None:
            known = self._identity(candidate)
            _remember(self._identities, key, known)
        return known

    @cached_property
    def _identities(self) -> dict[str, str]:
        return {}

    def _identity(self, candidate: Candidate) -> str:
        network: CellNetwork = self.realize(candidate)
        rest = {name: candidate[name] for name in RULES if name in candidate}
        return "|".join([*(f"{name}:{self.form(cell)}" for name, cell in network.cells.items()), canonical(rest)])

    def form(self, cell: Cell) -> str:
        """Return one text for all cells that are the same; the states' own order does not matter."""
        from tunesmith.spaces._cells.forms import written

        return written(cell)

    def features(self, candidates: Sequence[Candidate]) -> dict[str, np.ndarray]:
        """Return what tells the candidates' cells, by kind: how often each operation occurs, each path, proxies; n x k."""
        rows = [self._features(candidate) for candidate in candidates]
        return {kind: np.array([row[i] for row in rows]) for i, kind in enumerate((*KINDS, "proxies"))}

    def featured(self, name: str) -> bool:
        return name not in RULES

    def proxies(self, candidates: Sequence[Candidate]) -> dict[str, np.ndarray]:
        """Return the zero-cost proxies of the candidates' cells; n each."""
        rows = np.array([self._features(candidate)[-1] for candidate in candidates]).reshape(-1, len(PROXIES))
        return dict(zip(PROXIES, rows.T, strict=True))

    def _features(self, candidate: Candidate) -> tuple[np.ndarray, ...]:
        key = canonical(candidate)
        known = self._known_features.get(key)
        if known is None:
            cells: list[Cell] = list(self.realize(candidate).cells.values())
            known = (*cell_features(cells, self.operations), cell_proxies(cells))
            _remember(self._known_features, key, known)
        return known

    @cached_property
    def _known_features(self) -> dict[str, tuple[np.ndarray, ...]]:
        return {}

    def network(self, candidate: Candidate, info: DatasetInfo) -> Training:
        made: CellNetwork = self.realize(candidate)
        return train_graph(made.graph(info.input_shape), made.training, info)

    def estimate(self, candidate: Candidate, info: DatasetInfo) -> Size:
        made: CellNetwork = self.realize(candidate)
        return size_of_graph(made.graph(info.input_shape), made.training, info)

    def costs(self, candidate: Candidate, info: DatasetInfo) -> Costs:
        """Return what the network without its output layer costs for one image."""
        return self.realize(candidate).graph(info.input_shape).live().costs(info.input_shape)

    def settled(self) -> dict[str, Value]:
        return settled_fields(self, RULES)

    def to_json(self) -> dict[str, Any]:
        kind = type(self).__module__.rpartition(".")[2]
        return {"kind": kind} | json_fields(self)

    def usual_training(self) -> dict[str, Value]:
        """Return the middle of each distribution of the training's settings."""
        free = {name: setting for name in RULES if isinstance(setting := getattr(self, name), Distribution)}
        return {name: setting.quantile(0.5) for name, setting in free.items()}

    def _given(self) -> dict[str, Cell]:
        bare = replace(self, cell=None)
        assert self.cell is not None
        try:
            return bare.realize({**self.cell, **bare.usual_training()}).cells
        except SpecError as error:
            raise SpecError(str(error).replace("candidate.", "cell.", 1)) from None


def _remember(known: dict[str, Any], key: str, value: object) -> None:
    """Keep a value; all is forgotten where it has become too much: a search may rank more cells than memory has room for."""
    if len(known) >= MOST_REMEMBERED:
        known.clear()
    known[key] = value
