"""The operations of cells, by name, each drawn into a graph as layers."""

from collections.abc import Callable

from tunesmith.spaces._graph.graph import Draft
from tunesmith.spaces._graph.layers import Activation, Conv, Layer, Normalization, Separable
from tunesmith.spaces._graph.shaping import Pool

NONE = "none"
Draw = Callable[[Draft, int, int, int], int]


def draw_operation(name: str, draft: Draft, source: int, filters: int, stride: int = 1) -> int:
    """Draw an operation on a node whose output has `filters` channels; returns the result's place."""
    return OPERATIONS[name](draft, source, filters, stride)


def convolved(layer: Layer) -> list[Layer]:
    """Return what a convolution is in a cell: activation, convolution, normalisation."""
    return [Activation(), layer, Normalization()]


def matched(draft: Draft, source: int, filters: int, stride: int) -> int:
    """Return a node as it is where stride and channels suit, else through a 1x1 convolution."""
    if stride == 1 and draft.shape(source)[-1] == filters:
        return source
    return draft.chain(source, convolved(Conv(filters, (1, 1), stride)))


def _conv(*kernels: tuple[int, int], dilation: int = 1) -> Draw:
    def draw(draft: Draft, source: int, filters: int, stride: int) -> int:
        for kernel in kernels:
            source = draft.chain(source, convolved(Conv(filters, kernel, stride, dilation if stride == 1 else 1)))
            stride = 1
        return source

    return draw


def _separable(side: int) -> Draw:
    def draw(draft: Draft, source: int, filters: int, stride: int) -> int:
        for each in (stride, 1):
            source = draft.chain(source, convolved(Separable(filters, (side, side), each)))
        return source

    return draw


def _pool(kind: str, side: int) -> Draw:
    def draw(draft: Draft, source: int, filters: int, stride: int) -> int:
        source = draft.add(Pool("max" if kind == "max" else "average", side, stride), source)
        return matched(draft, source, filters, 1)

    return draw


# Zoph et al. (2018), section 3.1; the last four by their names in NAS-Bench-201 (Dong & Yang, 2020), where they are the same.
OPERATIONS: dict[str, Draw] = {
    "identity": matched,
    "conv_1x1": _conv((1, 1)),
    "conv_3x3": _conv((3, 3)),
    "conv_5x5": _conv((5, 5)),
    "conv_1x3_3x1": _conv((1, 3), (3, 1)),
    "conv_1x7_7x1": _conv((1, 7), (7, 1)),
    "dilated_3x3": _conv((3, 3), dilation=2),
    **{f"separable_{side}x{side}": _separable(side) for side in (3, 5, 7)},
    **{f"max_{side}x{side}": _pool("max", side) for side in (3, 5, 7)},
    "average_3x3": _pool("average", 3),
    "skip_connect": matched,
    "nor_conv_1x1": _conv((1, 1)),
    "nor_conv_3x3": _conv((3, 3)),
    "avg_pool_3x3": _pool("average", 3),
}
