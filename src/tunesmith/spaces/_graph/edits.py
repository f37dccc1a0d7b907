"""Edits that let a network grow and leave what it computes as it is (Wei et al., 2016; Chen et al., 2016: Net2Net).

Here a graph is edited; inheritance.py gives the new weights the values by which nothing changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tunesmith.spaces._graph.graph import Graph
from tunesmith.spaces._graph.layers import Activation, Conv, Dense, Layer, Normalization, Separable
from tunesmith.spaces._graph.shaping import Add, Concatenate
from tunesmith.spaces._graph.survey import Survey, width_of, with_width
from tunesmith.spaces._graph.wiring import Wiring

KERNELS = ((1, 1), (3, 3), (5, 5))
GROWTH = (1.5, 2.0)


@dataclass(frozen=True)
class Limits:
    """How large a graph may become: layers with weights, and filters or units of a layer."""

    layers: int
    filters: int


Edited = tuple[Graph, str]
Edit = Callable[[Survey, Limits, np.random.Generator], Edited | None]


def random_edit(graph: Graph, limits: Limits, rng: np.random.Generator) -> Edited | None:
    """Return an edited graph and what was done, each kind of edit equally likely; None where the limits leave none."""
    survey = Survey(graph)
    for kind in rng.permutation(len(EDITS)):
        if edited := EDITS[kind](survey, limits, rng):
            return edited
    return None


def _deepen(survey: Survey, limits: Limits, rng: np.random.Generator) -> Edited | None:
    """Insert a layer of the same width after a rectified one."""
    if len(survey.weighted) >= limits.layers or not survey.rectified:
        return None
    place = survey.rectified[int(rng.integers(len(survey.rectified)))]
    width, image = survey.shapes[place][-1], len(survey.shapes[place]) == 3
    layer = Conv(width, KERNELS[int(rng.integers(1, len(KERNELS)))]) if image else Dense(width, bias=False)
    wiring, key = Wiring(survey.graph), survey.keys[place]
    wiring.put_after(key, lambda: wiring.chain(key, [layer, Normalization(), Activation()]))
    return wiring.graph(), f"deepen after {key} with {_named(layer)}"


def _widen(survey: Survey, limits: Limits, rng: np.random.Generator) -> Edited | None:
    """Give a layer, and those that are added to it, more filters or units."""
    groups = [group for group in survey.groups() if width_of(survey.layers[group[0]]) < limits.filters]
    if not groups:
        return None
    group = groups[int(rng.integers(len(groups)))]
    before = width_of(survey.layers[group[0]])
    width = min(int(np.ceil(before * GROWTH[int(rng.integers(len(GROWTH)))])), limits.filters)
    wiring, keys = Wiring(survey.graph), [survey.keys[place] for place in group]
    for key in keys:
        wiring.layers[key] = with_width(wiring.layers[key], width)
    return wiring.graph(), f"widen {', '.join(map(str, keys))} from {before} to {width}"


def _add_skip(survey: Survey, limits: Limits, rng: np.random.Generator) -> Edited | None:
    """Add to a node what a projection makes of an earlier one."""
    pair = _pair(survey, rng) if len(survey.weighted) < limits.layers else None
    if pair is None:
        return None
    source, target = pair
    return _beside(survey, source, target, [_projection(survey, source, target)], "skip")


def _concatenate_skip(survey: Survey, limits: Limits, rng: np.random.Generator) -> Edited | None:
    """Put an earlier node's channels beside a later one's."""
    fitting = [
        (source, target)
        for source, target in survey.pairs()
        if survey.stride(source, target) == 1
        and survey.ties[source] >= 0
        and not survey.summed[target]
        and survey.shapes[source][-1] + survey.shapes[target][-1] <= limits.filters
    ]
    if not fitting:
        return None
    source, target = (survey.keys[place] for place in fitting[int(rng.integers(len(fitting)))])
    wiring = Wiring(survey.graph)
    wiring.put_after(target, lambda: wiring.add(Concatenate(), target, source))
    return wiring.graph(), f"concatenate {source} to {target}"


def _branch(survey: Survey, limits: Limits, rng: np.random.Generator) -> Edited | None:
    """Add to a node what a convolution, then a projection, make of an earlier one."""
    pair = _pair(survey, rng) if len(survey.weighted) + 1 < limits.layers else None
    if pair is None:
        return None
    source, target = pair
    width, stride = survey.shapes[target][-1], survey.stride(source, target) or 1
    first: Layer = Dense(width, bias=False)
    if len(survey.shapes[target]) == 3:
        kinds = [Conv(width, (3, 3), stride), Conv(width, (5, 5), stride), Separable(width, (3, 3), stride)]
        first = kinds[int(rng.integers(len(kinds)))]
    last = Dense(width, bias=False) if isinstance(first, Dense) else Conv(width, (1, 1))
    return _beside(survey, source, target, [first, Normalization(), Activation(), last], "branch")


EDITS: tuple[Edit, ...] = (_deepen, _widen, _add_skip, _concatenate_skip, _branch)


def _pair(survey: Survey, rng: np.random.Generator) -> tuple[int, int] | None:
    pairs = survey.pairs()
    return pairs[int(rng.integers(len(pairs)))] if pairs else None


def _projection(survey: Survey, source: int, target: int) -> Layer:
    width = survey.shapes[target][-1]
    image = len(survey.shapes[target]) == 3
    return Conv(width, (1, 1), survey.stride(source, target) or 1) if image else Dense(width, bias=False)


def _beside(survey: Survey, source: int, target: int, chain: list[Layer], kind: str) -> Edited:
    """Add the output of a chain of layers on `source` to that of `target`."""
    wiring, begin, end = Wiring(survey.graph), survey.keys[source], survey.keys[target]
    wiring.put_after(end, lambda: wiring.add(Add(), end, wiring.chain(begin, chain)))
    return wiring.graph(), f"{kind} from {begin} to {end} with {_named(chain[0])}"


def _named(layer: Layer) -> str:
    kernel = getattr(layer, "kernel", None)
    return f"{layer.op} {width_of(layer)}" + (f" {kernel[0]}x{kernel[1]}" if kernel else "")
