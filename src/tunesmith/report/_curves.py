"""The learning curves: the best trials in colour and by name, all others faint behind them."""

import math
from collections import Counter
from collections.abc import Sequence

from tunesmith.report._svg import Scale, axes, drawing, line, scale, text, thinned, typical
from tunesmith.report.content import ReportContent

WIDTH, HEIGHT = 620, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 546, 42, 276
MOST_NAMED, MOST_FAINT, MOST_POINTS = 5, 150, 60
LINE_HEIGHT = 14

Points = list[tuple[int, float]]


def curve_metric(content: ReportContent) -> str | None:
    """Return the metric to draw: the objective where trials report it on the way, else the one reported most."""
    seen = Counter(name for curve in content.curves.values() for _, metrics in curve for name in metrics)
    if not seen or content.objective.metric in seen:
        return content.objective.metric if seen else None
    return min(seen, key=lambda name: (-seen[name], name))


def draw_curves(content: ReportContent) -> str:
    """Return the plot; nothing where no trial reported two steps."""
    metric = curve_metric(content)
    curves = {number: _points(curve, metric) for number, curve in content.curves.items()} if metric else {}
    curves = {number: points for number, points in curves.items() if len(points) >= 2}
    if not curves:
        return ""
    named = [trial.number for trial in content.ranked if trial.number in curves][:MOST_NAMED]
    faint = thinned([number for number in sorted(curves) if number not in named], MOST_FAINT)
    x, y = _scales(curves, content.objective.goal == "minimize" or metric != content.objective.metric)
    body = [
        axes(x, y),
        text(LEFT, 14, metric, "label"),
        text(RIGHT, HEIGHT - 6, "step", "label", "end"),
        *(line(_pixels(curves[number], x, y), "curve") for number in faint),
        *(line(_pixels(curves[number], x, y), f"curve s{rank}") for rank, number in reversed([*enumerate(named, 1)])),
        *_names({number: _pixels(curves[number], x, y)[-1] for number in named}),
    ]
    return drawing(WIDTH, HEIGHT, f"{metric} by step, the best trials named", "".join(body))


def _points(curve: Sequence[tuple[int, object]], metric: str) -> Points:
    values = [(step, metrics.get(metric, math.nan)) for step, metrics in curve if isinstance(metrics, dict)]
    return [*thinned([(step, float(value)) for step, value in values if math.isfinite(value)], MOST_POINTS)]


def _scales(curves: dict[int, Points], minimize: bool) -> tuple[Scale, Scale]:
    steps = [step for points in curves.values() for step, _ in points]
    values = [value for points in curves.values() for _, value in points]
    x = Scale(min(steps), max(steps), LEFT, RIGHT, whole=True)
    return x, scale(typical(values, minimize), BOTTOM, TOP)


def _pixels(points: Points, x: Scale, y: Scale) -> list[tuple[float, float]]:
    return [(x(step), y(value)) for step, value in points]


def _names(ends: dict[int, tuple[float, float]]) -> list[str]:
    """Return the names at the right border, moved apart where they would overlap, with a leader to the curve's end."""
    ranks = {number: rank for rank, number in enumerate(ends, 1)}
    parts, at = [], -math.inf
    wanted = sorted(ends, key=lambda number: ends[number][1])
    heights = {}
    for number in wanted:
        at = max(at + LINE_HEIGHT, ends[number][1])
        heights[number] = at
    excess = max(0.0, at - BOTTOM)
    for number in wanted:
        x, y = ends[number]
        height = heights[number] - excess
        parts.append(line([(x, y), (RIGHT + 4, y), (RIGHT + 12, height)], f"leader s{ranks[number]}"))
        parts.append(text(RIGHT + 15, height + 4, f"trial {number}", f"mark t{ranks[number]}"))
    return parts
