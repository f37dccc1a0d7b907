"""The drawings of several objectives: the Pareto front among all trials, and the hypervolume as it grew."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.ranking import MOST_FOR_VOLUME, volume_growth
from tunesmith.report._format import figure, numbers
from tunesmith.report._svg import Scale, axes, circle, drawing, line, scale, text, thinned, typical
from tunesmith.report.content import ReportContent
from tunesmith.study import Objective, State, Trial

WIDTH, HEIGHT = 620, 340
LEFT, RIGHT, TOP, BOTTOM = 72, 600, 42, 284
# How far behind the front a trial is drawn at its place, in units of the front's range; those farther off are at the border.
REACH = 3.0
MOST_DOTS, MOST_LISTED = 600, 40
# Room for the knee's label beside its dot.
LABEL = 110


@dataclass(frozen=True)
class Front:
    """The section on several objectives: drawings, '' where there is nothing to draw, and what they show in words.

    plots: the first objective against each of the others.
    """

    plots: tuple[str, ...]
    volume: str
    objectives: tuple[str, ...]
    trials: str
    knee: int
    reference: str


def describe_front(content: ReportContent) -> Front | None:
    """Return what the section shows; None where there is one objective, or no trial that counts."""
    if not content.front:
        return None
    metrics = tuple(objective.metric for objective in content.aims.objectives)
    return Front(
        plots=tuple(_draw_front(content, across) for across in content.aims.objectives[1:]),
        volume=_draw_volume(content) if len(metrics) <= MOST_FOR_VOLUME else "",
        objectives=metrics,
        trials=numbers(trial.number for trial in content.front),
        knee=content.front[0].number,
        reference=", ".join(
            f"{objective.metric} {figure(objective.metric, objective.loss(worst))}"
            for objective, worst in zip(content.aims.objectives, _losses(content).max(axis=0), strict=True)
        ),
    )


def _counting(content: ReportContent) -> list[Trial]:
    """Return the finished trials that keep the constraints, by number."""
    aims = content.aims
    finished = content.in_state(State.FINISHED)
    return [t for t in finished if aims.violation(t.metrics) == 0 and np.isfinite(aims.losses(t.metrics)).all()]


def _losses(content: ReportContent) -> np.ndarray:
    return np.array([content.aims.losses(trial.metrics) for trial in _counting(content)])


def _draw_front(content: ReportContent, across: Objective) -> str:
    """Return the first objective against another of all that finished, the front as the edge of what is dominated."""
    up = content.aims.objectives[0]
    finished = [t for t in content.in_state(State.FINISHED) if up.metric in t.metrics and across.metric in t.metrics]
    x, y = _axis(across, finished, content, (LEFT, RIGHT)), _axis(up, finished, content, (BOTTOM, TOP))
    members = {trial.number for trial in content.front}
    others = thinned([trial for trial in finished if trial.number not in members], MOST_DOTS)
    body = [
        axes(x, y),
        text(LEFT, 14, f"{up.metric} ({_better(up)} is better)", "label"),
        text(RIGHT, HEIGHT - 6, f"{across.metric} ({_better(across)} is better)", "label", "end"),
        *_bounds(content, across, x, y),
        *(_dot(content, across, trial, x, y) for trial in others),
        line(_edge(content.front, across, up, x, y), "best-so-far"),
        *(_dot(content, across, trial, x, y) for trial in reversed(content.front)),
        _knee_label(content, across, x, y),
    ]
    return drawing(WIDTH, HEIGHT, f"{up.metric} against {across.metric}, with the Pareto front", "".join(body))


def _better(objective: Objective) -> str:
    return "less" if objective.goal == "minimize" else "more"


def _axis(objective: Objective, trials: Sequence[Trial], content: ReportContent, span: tuple[int, int]) -> Scale:
    """Return an axis for the typical values near the front, which has room on it and is not squeezed into a line."""
    losses = [objective.loss(trial.metrics[objective.metric]) for trial in trials]
    front = [objective.loss(trial.metrics[objective.metric]) for trial in content.front]
    reach = (max(front) / 4 - min(front) / 4) * 4 * REACH
    near = [loss for loss in typical(losses, True) if reach == 0 or loss <= max(front) + reach]
    return scale([objective.loss(loss) for loss in (*near, *front)], *span, pad=0.08)


def _bounds(content: ReportContent, across: Objective, x: Scale, y: Scale) -> list[str]:
    """Return the constraints on what the axes show, as dashed lines."""
    up = content.aims.objectives[0]
    parts = []
    for constraint in content.constraints:
        at = constraint.bound
        if constraint.metric == across.metric and x.low < at < x.high:
            parts.append(line([(x(at), TOP), (x(at), BOTTOM)], "chance"))
        if constraint.metric == up.metric and y.low < at < y.high:
            parts.append(line([(LEFT, y(at)), (RIGHT, y(at))], "chance"))
    return parts


def _edge(front: Sequence[Trial], across: Objective, up: Objective, x: Scale, y: Scale) -> list[tuple[float, float]]:
    """Return the corners of what the front dominates: from each point along the axis, then to the next point's level."""
    corners: list[tuple[float, float]] = []
    least = np.inf
    for trial in sorted(
        front, key=lambda trial: (across.loss(trial.metrics[across.metric]), up.loss(trial.metrics[up.metric]))
    ):
        loss = up.loss(trial.metrics[up.metric])
        # With three objectives some of the front lie behind others in these two.
        if loss < least:
            least = loss
            at = x(trial.metrics[across.metric]), y(trial.metrics[up.metric])
            corners += [(at[0], corners[-1][1]), at] if corners else [at]
    return corners


def _dot(content: ReportContent, across: Objective, trial: Trial, x: Scale, y: Scale) -> str:
    up = content.aims.objectives[0]
    told = ", ".join(f"{o.metric} {figure(o.metric, trial.metrics.get(o.metric))}" for o in content.aims.objectives)
    on_front = trial in content.front
    if trial is content.front[0]:
        kind, radius = "best", 6.5
    elif on_front:
        kind, radius = "best", 4.0
    else:
        kind, radius = ("finished" if content.aims.violation(trial.metrics) == 0 else "running"), 3.2
    where = ", on the front" if on_front else "" if kind == "finished" else ", beyond a constraint"
    title = f"trial {trial.number}{where}: {told}"
    return circle(x(trial.metrics[across.metric]), y(trial.metrics[up.metric]), radius, kind, title)


def _knee_label(content: ReportContent, across: Objective, x: Scale, y: Scale) -> str:
    knee, up = content.front[0], content.aims.objectives[0]
    at = x(knee.metrics[across.metric]), y(knee.metrics[up.metric])
    left = across.goal == "maximize"
    anchor = "end" if at[0] > RIGHT - LABEL or (left and at[0] > LEFT + LABEL) else "start"
    below = up.goal == "maximize"
    shift = -10 if anchor == "end" else 10
    return text(at[0] + shift, at[1] + (18 if below else -10), f"knee: trial {knee.number}", "mark", anchor)


def _draw_volume(content: ReportContent) -> str:
    """Return the share of the box between the ideal and the worst point that the trials dominated, trial by trial."""
    growth = volume_growth(content.trials, content.aims)
    x = Scale(-0.5, max(trial.number for trial in content.trials) + 0.5, LEFT, RIGHT, whole=True)
    y = scale([0.0, growth[-1][1]], BOTTOM, TOP, log=False)
    points = [(x(number), y(share)) for number, share in growth]
    steps = [corner for i, (at, up) in enumerate(points) for corner in ([(at, points[i - 1][1])] if i else []) + [(at, up)]]
    body = [
        axes(x, y),
        text(LEFT, 14, "hypervolume", "label"),
        text(RIGHT, HEIGHT - 6, "trial", "label", "end"),
        line([*steps, (RIGHT, steps[-1][1])], "best-so-far"),
    ]
    return drawing(WIDTH, HEIGHT, "the hypervolume that the trials dominate, as it grew", "".join(body))
