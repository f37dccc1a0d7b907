"""Small plots of the objective against each of the parameters that most trials have."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from tunesmith.report._format import number, told_apart
from tunesmith.report._history import value_scale
from tunesmith.report._svg import Scale, circle, dots, drawing, line, scale, text, thinned, upright_axis
from tunesmith.report.content import ReportContent
from tunesmith.study import State, Trial

WIDTH, HEIGHT = 280, 172
LEFT, RIGHT, TOP, BOTTOM = 46, 272, 12, 150
# The width of a label's character, and a little room between labels.
CHARACTER = 7.6
MOST_PLOTS, MOST_DOTS, MOST_OPTIONS, FEW = 12, 250, 8, 6


@dataclass(frozen=True)
class ParameterPlot:
    """A parameter's name and its plot."""

    name: str
    svg: str


def varying_parameters(trials: Sequence[Trial], most: int) -> list[str]:
    """Return the names of the parameters with more than one value, those that most trials have first.

    Of equally frequent ones, those of the whole network (`learning_rate`) come before those of a part (`conv1.filters`).
    """
    seen: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for trial in trials:
        for name, value in trial.candidate.items():
            seen[name] += 1
            values.setdefault(name, set()).add(repr(value))
    order = [name for name in seen if len(values[name]) > 1]
    return sorted(order, key=lambda name: (-seen[name], "." in name))[:most]


def draw_parameters(content: ReportContent) -> list[ParameterPlot]:
    """Return one plot a parameter; none where fewer than three trials have a value."""
    scored = [
        trial for trial in content.ranked if trial.state in (State.FINISHED, State.STOPPED) and content.value(trial) is not None
    ]
    if len(scored) < 3:
        return []
    y = value_scale(content, scored, BOTTOM, TOP)
    plots = []
    for name in varying_parameters(scored, MOST_PLOTS):
        having = [trial for trial in scored if name in trial.candidate]
        draw = _draw_options if _is_categorical(having, name) else _draw_numbers
        body = upright_axis(y, LEFT, RIGHT, 4) + draw(content, name, having, y)
        plots.append(ParameterPlot(name, drawing(WIDTH, HEIGHT, f"{content.objective.metric} by {name}", body)))
    return plots


def _is_categorical(trials: Sequence[Trial], name: str) -> bool:
    """Tell whether a parameter is best drawn as columns: options, and whole numbers of few different values."""
    values = {trial.candidate[name] for trial in trials}
    if any(isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) for value in values):
        return True
    return len(values) <= FEW and all(isinstance(value, int) for value in values)


def _draw_numbers(content: ReportContent, name: str, trials: Sequence[Trial], y: Scale) -> str:
    x = scale([_as_number(trial, name) for trial in trials], LEFT, RIGHT, pad=0.04)
    ticks = [tick for tick in x.ticks(4) if LEFT + 8 <= x(tick) <= RIGHT - 8]
    labels = [text(x(tick), BOTTOM + 17, number(tick), "tick", "middle") for tick in ticks]
    return "".join([*labels, *_clouds(content, trials, lambda trial: x(_as_number(trial, name)), y)])


def _as_number(trial: Trial, name: str) -> float:
    return float(trial.candidate[name] or 0)


def _draw_options(content: ReportContent, name: str, trials: Sequence[Trial], y: Scale) -> str:
    """Return a column of dots an option, the median of each as a bar; rare options share the last column."""
    columns = _columns(trials, name)
    width = (RIGHT - LEFT) / len(columns)
    parts: list[str] = []
    middle: dict[int, float] = {}
    labels = told_apart(list(columns), max(2, int(width / CHARACTER)))
    for position, ((option, members), label) in enumerate(zip(columns.items(), labels, strict=True)):
        center = LEFT + width * (position + 0.5)
        parts.append(f"<g>{text(center, BOTTOM + 17, label, 'tick', 'middle')}<title>{escape(option)}</title></g>")
        level = y(median(content.value(trial) or 0.0 for trial in members))
        parts.append(line([(center - width * 0.36, level), (center + width * 0.36, level)], "median"))
        middle |= {trial.number: center for trial in members}
    spread = min(width * 0.26, 16)
    return "".join([*parts, *_clouds(content, trials, lambda trial: middle[trial.number] + spread * _jitter(trial.number), y)])


def _columns(trials: Sequence[Trial], name: str) -> dict[str, list[Trial]]:
    frequent = [value for value, _ in Counter(_option(trial, name) for trial in trials).most_common(MOST_OPTIONS)]
    values = {_option(trial, name): trial.candidate[name] for trial in trials}
    ordered = sorted(frequent, key=lambda option: _option_order(values[option]))
    columns: dict[str, list[Trial]] = {option: [] for option in ordered}
    for trial in trials:
        option = _option(trial, name)
        columns.setdefault(option if option in columns else "others", []).append(trial)
    return columns


def _option(trial: Trial, name: str) -> str:
    value = trial.candidate[name]
    return str(value).lower() if isinstance(value, bool) or value is None else number(value)


def _option_order(value: object) -> tuple[bool, float, str]:
    numeric = isinstance(value, int | float) and math.isfinite(value)
    return not numeric, float(value) if isinstance(value, int | float) and numeric else 0.0, str(value)


def _jitter(trial: int) -> float:
    """Return a number in [-1, 1) that is always the same for a trial and evenly spread over neighbours."""
    return (trial * 0.618034 % 1) * 2 - 1


def _clouds(content: ReportContent, trials: Sequence[Trial], x: Callable[[Trial], float], y: Scale) -> list[str]:
    """Return the dots by state and the best one above them."""
    shown = thinned(trials, MOST_DOTS)
    parts = []
    for state in (State.STOPPED, State.FINISHED):
        points = [(round(x(trial), 1), y(content.value(trial) or 0.0)) for trial in shown if trial.state is state]
        parts.append(dots(points, state.value))
    best = content.best
    if best and any(trial.number == best.number for trial in trials):
        parts.append(circle(round(x(best), 1), y(content.value(best) or 0.0), 4.5, "best", f"trial {best.number}, the best"))
    return parts
