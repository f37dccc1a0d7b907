"""Draws a network as an SVG that carries its own colours, so that it can also stand alone."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tunesmith.report._blocks import Block, gather
from tunesmith.report._format import count, shortened
from tunesmith.report._layout import BOX_WIDTH, LINE_HEIGHT, ROW_GAP, Box, Edge, Layout, lay_out
from tunesmith.report._svg import text

COLOURS = {  # light and dark
    "input": ("#5b6675", "#9aa7b6"),
    "convolution": ("#0072b2", "#56b4e9"),
    "normalisation": ("#7a5195", "#b79ad6"),
    "pooling": ("#008f6b", "#2fc59a"),
    "dense": ("#c2570c", "#ff9a5c"),
    "dropout": ("#8a8f98", "#7d8794"),
    "merge": ("#a8327d", "#e58ac2"),
    "activation": ("#937500", "#e0bd45"),
    "other": ("#6b7a4b", "#a9bd7c"),
}
LEGEND_HEIGHT = 26
CORNER = 7
ENTERING, LEAVING = 0.32, 0.68  # where the edges of a lane touch a box, in shares of its height
WIDE_LETTER, LETTER = 8.0, 6.2  # pixels of an average letter of a title, of a line below


def draw_network(network: Sequence[Mapping[str, Any]]) -> str:
    """Return the drawing; nothing for a network without layers.

    Layers are in topological order, each with name, type, detail, output_shape, parameters and inputs (names); missing keys
    are left blank. Activations, normalisations and dropouts are folded into the layer they follow.
    """
    blocks = gather(network)
    if not blocks:
        return ""
    layout = lay_out(blocks)
    families = [family for family in COLOURS if any(block.family == family for block in blocks)]
    width = max(layout.width, 16 + sum(_legend_width(family) for family in families))
    height = layout.height + LEGEND_HEIGHT
    label = f"network of {len(network)} layers, {count(sum(block.parameters for block in blocks))} parameters"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="network" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">{_style()}'
        f'<rect class="ground" width="100%" height="100%"/>{_legend(families)}'
        f'<g transform="translate(0,{LEGEND_HEIGHT})">{_edges(layout)}'
        f"{''.join(_box(block, layout.boxes[i]) for i, block in enumerate(blocks))}</g></svg>"
    )


def _style() -> str:
    light = "".join(f".network .{family}{{--colour:{pair[0]}}}" for family, pair in COLOURS.items())
    dark = "".join(f".network .{family}{{--colour:{pair[1]}}}" for family, pair in COLOURS.items())
    at_night = f"{_inks('#e8ecf1', '#9aa7b6', '#748292', '#1a2028')}{dark}"
    return (
        f"<style>{_inks('#1b2430', '#596575', '#8b96a3', '#ffffff')}{light}"
        f"@media screen and (prefers-color-scheme:dark){{{at_night}}}"
        ".network{font:12px system-ui,sans-serif}.network text{fill:var(--net-soft);font-size:11px}"
        ".network .type{fill:var(--net-ink);font-size:12.5px;font-weight:600}.network .ground{fill:var(--net-ground)}"
        ".network .face{fill:var(--colour);fill-opacity:.1;stroke:var(--colour);stroke-opacity:.45}"
        ".network .output .face{stroke-width:2;stroke-opacity:1}.network .band{fill:var(--colour)}"
        ".network .edge{fill:none;stroke:var(--net-edge);stroke-width:1.4}.network .tip{fill:var(--net-edge)}</style>"
    )


def _inks(ink: str, soft: str, edge: str, ground: str) -> str:
    return f".network{{--net-ink:{ink};--net-soft:{soft};--net-edge:{edge};--net-ground:{ground}}}"


def _legend_width(family: str) -> float:
    return 26 + LETTER * len(family)


def _legend(families: Sequence[str]) -> str:
    parts, x = [], 8.0
    for family in families:
        parts.append(f'<g class="{family}"><rect class="band" x="{x:g}" y="5" width="10" height="10" rx="2"/>')
        parts.append(f"{text(x + 15, 14, family)}</g>")
        x += _legend_width(family)
    return "".join(parts)


def _box(block: Block, box: Box) -> str:
    left, right = box.x - BOX_WIDTH / 2, box.x + BOX_WIDTH / 2 - 10
    parameters = f"{count(block.parameters)} par." if block.parameters else ""
    room = BOX_WIDTH - 32
    title_room = room - LETTER * len(block.output_shape)
    y = box.y + 19
    lines = [
        text(left + 14, y, shortened(block.type, int(title_room / WIDE_LETTER)), "type"),
        text(right, y, block.output_shape, "", "end"),
    ]
    if block.detail or block.parameters:
        y += LINE_HEIGHT
        lines.append(text(left + 14, y, shortened(block.detail, int(room / LETTER) - len(parameters))))
        lines.append(text(right, y, parameters, "", "end"))
    if block.extras:
        lines.append(text(left + 14, y + LINE_HEIGHT, shortened("+ " + ", ".join(block.extras), int(room / LETTER))))
    title = f"{', '.join(block.names)}\n{block.type} {block.detail}\n{', '.join(block.extras)}".strip()
    return (
        f'<g class="{block.family}{" output" if block.is_output else ""}"><title>{escape(title)}</title>'
        f'<rect class="face" x="{left:g}" y="{box.y:g}" width="{BOX_WIDTH:g}" height="{box.height:g}" rx="6"/>'
        f'<rect class="band" x="{left:g}" y="{box.y:g}" width="5" height="{box.height:g}" rx="2.5"/>{"".join(lines)}</g>'
    )


def _edges(layout: Layout) -> str:
    return "".join(_edge(edge, layout.boxes[edge.source], layout.boxes[edge.target]) for edge in layout.edges)


def _edge(edge: Edge, source: Box, target: Box) -> str:
    if edge.wraps:
        return _around(source, target, edge.lane or 0.0)
    if edge.lane is not None:
        return _bracket(edge, source, target, edge.lane)
    start, end = source.y + source.height, target.y - 5
    bend = (start + end) / 2
    curve = f"M{source.x:g},{start:g}C{source.x:g},{bend:g} {target.x:g},{bend:g} {target.x:g},{end:g}"
    return f'<path class="edge" d="{curve}"/>{_tip_down(target)}'


def _bracket(edge: Edge, source: Box, target: Box, lane: float) -> str:
    """Return an edge that runs down its lane, by the sides of its boxes or through the gaps below and above them."""
    half, gap = BOX_WIDTH / 2, ROW_GAP / 2
    foot = source.y + source.height
    start = (
        [(source.x + half, source.y + source.height * LEAVING)] if edge.side_out else [(source.x, foot), (source.x, foot + gap)]
    )
    end = [(target.x + half + 5, target.y + target.height * ENTERING)]
    tip = f'<path class="tip" d="M{target.x + half:g},{end[0][1]:g}l7,-4v8z"/>'
    if not edge.side_in:
        end, tip = [(target.x, target.y - gap), (target.x, target.y - 5)], _tip_down(target)
    return _line([*start, (lane, start[-1][1]), (lane, end[0][1]), *end]) + tip


def _around(source: Box, target: Box, between: float) -> str:
    """Return an edge from the foot of one column to the head of the next."""
    foot, head = source.y + source.height, target.y - ROW_GAP / 2
    low = foot + ROW_GAP / 2
    corners = [(source.x, foot), (source.x, low), (between, low), (between, head), (target.x, head), (target.x, target.y - 5)]
    return _line(corners) + _tip_down(target)


def _line(points: Sequence[tuple[float, float]]) -> str:
    """Return a line of upright and level parts, its corners rounded."""
    path = f"M{points[0][0]:g},{points[0][1]:g}"
    for (x0, y0), (x1, y1), (x2, y2) in zip(points, points[1:], points[2:], strict=False):
        before, after = _towards(x1, y1, x0, y0), _towards(x1, y1, x2, y2)
        path += f"L{before}Q{x1:g},{y1:g} {after}"
    return f'<path class="edge" d="{path}L{points[-1][0]:g},{points[-1][1]:g}"/>'


def _towards(x: float, y: float, to_x: float, to_y: float) -> str:
    """Return the point that lies up to CORNER pixels from (x, y) on the way to the other."""
    distance = abs(to_x - x) + abs(to_y - y) or 1.0
    step = min(CORNER, distance / 2) / distance
    return f"{x + (to_x - x) * step:g},{y + (to_y - y) * step:g}"


def _tip_down(target: Box) -> str:
    return f'<path class="tip" d="M{target.x:g},{target.y:g}l-4,-7h8z"/>'
