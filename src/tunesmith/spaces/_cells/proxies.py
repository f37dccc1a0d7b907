"""Zero-cost proxies of cells: what is told of them before a network of them is trained (see _graph/proxies.py).

A network repeats its cells, so that the flow through one of each tells networks apart as that through all of them does. What an
operation adds is worked out once; a cell then takes some ten microseconds, and a search asks of thousands.
"""

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from tunesmith.spaces._cells.cell import Cell
from tunesmith.spaces._cells.operations import NONE, draw_operation
from tunesmith.spaces._graph.graph import Draft
from tunesmith.spaces._graph.proxies import NOTHING, START, Flow, Prospect, flow_through, joined_flow, prospect_of

PROXIES = ("parameters", "synflow")
# The logarithm that stands for cells through which nothing flows.
LEAST = -10.0
# What comes to the cells: a layer with weights is before them.
STEM: Flow = (0.0, 0.0)
# The image and the filters for which operations are compared.
SIDE, FILTERS = 8, 8


def cell_proxies(cells: Iterable[Cell]) -> np.ndarray:
    """Return the logarithms of `PROXIES` of one network's cells; shape (2,).

    parameters: trained weights of operations that more than zeros come to. synflow: synaptic flow, at least `LEAST`.
    """
    flow, parameters = STEM, 0
    for cell in cells:
        found = _prospect(cell)
        flow, parameters = flow_through(flow, found.flow), parameters + found.parameters
    return np.array([math.log1p(parameters), max(flow[1], LEAST)])


def _prospect(cell: Cell) -> Prospect:
    flows: list[Flow] = [START] * cell.inputs
    parameters = 0
    for place, state in enumerate(cell.states, cell.inputs):
        read: list[Flow] = []
        for edge in state.edges if place in cell.live else ():
            if edge.operation == NONE or flows[edge.source][0] == NOTHING:
                continue
            operation = _operation(edge.operation)
            read.append(flow_through(flows[edge.source], operation.flow))
            parameters += operation.parameters
        flows.append(joined_flow(read, state.join == "add"))
    return Prospect(joined_flow([flows[place] for place in cell.outputs], cell.join == "add"), parameters)


@lru_cache(maxsize=256)
def _operation(name: str) -> Prospect:
    image = (SIDE, SIDE, FILTERS)
    draft = Draft(image)
    if draw_operation(name, draft, 0, FILTERS) == 0:
        return Prospect(START, 0)
    return prospect_of(draft.graph(), image)
