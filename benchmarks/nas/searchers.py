"""Who searches for cells: Tunesmith's strategies on its own space of cells, and other libraries on six choices."""

import warnings

import numpy as np
import yaml

from nas.tables import Table, code_of
from quality.problem import Knob
from quality.searchers import Searcher, available, make
from quality.searchers.ours import Ours
from tunesmith.registry import build
from tunesmith.spaces._distributions import Choice
from tunesmith.spaces.cells_nasbench201 import EDGES, OPERATIONS, NASBench201
from tunesmith.strategies._strategy import Strategy

OURS = "tunesmith"
KNOBS = tuple(Knob(edge, Choice(OPERATIONS)) for edge in EDGES)
WANTED = ("optuna tpe", "optuna group tpe", "hyperopt tpe", "nevergrad ngopt")
PEERS = tuple(name for names in available()[0].values() for name in names if name in WANTED)


def search(table: Table, searcher: str, seed: int, queries: int) -> list[tuple[float, float]]:
    """Return what each query saw, and the cell's test accuracy."""
    warnings.simplefilter("ignore")
    asked = _made(searcher, seed, queries)
    rng = np.random.default_rng(seed) if table.runs else None
    seen: list[tuple[float, float]] = []
    while len(seen) < queries:
        (candidate,) = asked.ask(1)
        code = code_of(candidate)
        accuracy = table.query(code, rng)
        asked.tell([(candidate, 100 - accuracy)])
        seen.append((accuracy, table.test[code]))
    return seen


def _made(searcher: str, seed: int, queries: int) -> Searcher:
    if not searcher.startswith(f"{OURS} "):
        return make(searcher, KNOBS, seed, queries, 1)
    _, name, *rest = searcher.split(" ")
    settings = {key: yaml.safe_load(value) for key, value in (pair.split("=") for pair in ",".join(rest).split(",") if pair)}
    return Ours(build("tunesmith.strategies", name, Strategy, settings, "strategy"), NASBench201(), seed, queries, 1)
