"""The plot of all trials in the order they were started, with the best value so far."""

from tunesmith.report._format import figure, numbers
from tunesmith.report._svg import Scale, axes, circle, drawing, line, scale, text, thinned, typical
from tunesmith.report.content import ReportContent
from tunesmith.study import State, Trial

WIDTH, HEIGHT = 620, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 606, 42, 276
MOST_DOTS = 600
CLASSES = {State.FINISHED: "finished", State.STOPPED: "stopped", State.RUNNING: "running"}


def draw_history(content: ReportContent) -> str:
    """Return the plot; nothing where no trial has a value."""
    scored = [trial for trial in content.trials if content.value(trial) is not None and trial.state in CLASSES]
    if not scored:
        return ""
    last = max(trial.number for trial in content.trials)
    x = Scale(-0.5, last + 0.5, LEFT, RIGHT, whole=True)
    y = value_scale(content, scored)
    steps = _improvements(content)
    kept = {trial.number for trial in steps}
    shown: list[Trial] = [*thinned([trial for trial in scored if trial.number not in kept], MOST_DOTS), *steps]
    body = [
        axes(x, y),
        text(LEFT, 14, content.objective.metric, "label"),
        text(RIGHT, HEIGHT - 6, "trial", "label", "end"),
        _kin(content, shown, x, y),
        _best_line(content, steps, x, y),
        *(_dot(content, trial, x, y) for trial in shown),
        _crosses(content, x),
        _best_label(content, x, y),
    ]
    return drawing(WIDTH, HEIGHT, f"{content.objective.metric} of every trial, and the best so far", "".join(body))


def value_scale(content: ReportContent, trials: list[Trial], start: float = BOTTOM, end: float = TOP) -> Scale:
    """Return the axis of the objective, made for the typical values; what is far worse is drawn at its border."""
    values = [value for trial in trials if (value := content.value(trial)) is not None]
    return scale(typical(values, content.objective.goal == "minimize"), start, end, pad=0.1)


def _improvements(content: ReportContent) -> list[Trial]:
    """Return the finished trials that were better than all before them."""
    steps: list[Trial] = []
    for trial in content.in_state(State.FINISHED):
        value = content.value(trial)
        if value is None or content.aims.violation(trial.metrics) > 0:
            continue
        best = content.value(steps[-1]) if steps else None
        if best is None or content.objective.loss(value) < content.objective.loss(best):
            steps.append(trial)
    return steps


def _best_line(content: ReportContent, steps: list[Trial], x: Scale, y: Scale) -> str:
    points: list[tuple[float, float]] = []
    for trial in steps:
        across, up = x(trial.number), y(content.value(trial) or 0.0)
        points += [(across, points[-1][1]), (across, up)] if points else [(across, up)]
    return line([*points, (RIGHT, points[-1][1])], "best-so-far") if points else ""


def _kin(content: ReportContent, shown: list[Trial], x: Scale, y: Scale) -> str:
    """Return lines from trials to those that were edited from them, the winner's ancestors stronger."""
    drawn = {trial.number: trial for trial in shown}
    parents = {trial.number: trial.parent for trial in content.trials}
    ancestors, number = set(), content.best.number if content.best else None
    while number is not None and number not in ancestors:
        ancestors.add(number)
        number = parents.get(number)
    parts = []
    for trial in shown:
        parent = drawn.get(trial.parent) if trial.parent is not None else None
        if parent is not None:
            ends = [(x(each.number), y(content.value(each) or 0.0)) for each in (parent, trial)]
            parts.append(line(ends, "kin of-the-best" if trial.number in ancestors else "kin"))
    return "".join(parts)


def _dot(content: ReportContent, trial: Trial, x: Scale, y: Scale) -> str:
    value = content.value(trial) or 0.0
    title = f"trial {trial.number}, {trial.state}: {figure(content.objective.metric, value)}"
    best = content.best is not None and trial.number == content.best.number
    radius = 5.5 if best else 3.6 if len(content.trials) <= 200 else 2.4
    return circle(x(trial.number), y(value), radius, "best" if best else CLASSES[trial.state], title)


def _crosses(content: ReportContent, x: Scale) -> str:
    """Return the failed trials on the bad side of the plot, as thin strokes where they are many."""
    low = TOP + 3 if content.objective.goal == "minimize" else BOTTOM - 9
    many = len(content.trials) > 200
    parts = []
    for trial in thinned(content.in_state(State.FAILED), MOST_DOTS // 2):
        at = x(trial.number)
        path = f"M{at:g},{low}v6" if many else f"M{at - 3:g},{low}l6,6m0,-6l-6,6"
        classes = "failed many" if many else "failed"
        parts.append(f'<path class="{classes}" d="{path}"><title>trial {trial.number} failed</title></path>')
    return "".join(parts)


def _best_label(content: ReportContent, x: Scale, y: Scale) -> str:
    if content.best is None:
        return ""
    value = content.value(content.best) or 0.0
    across, up = x(content.best.number), y(value)
    below = content.objective.goal == "minimize"
    near_right, near_left = across > RIGHT - 80, across < LEFT + 60
    anchor = "end" if near_right else "start" if near_left else "middle"
    label = f"{figure(content.objective.metric, value)} · trial {numbers([content.best.number])}"
    return text(across, min(up + 18, BOTTOM - 3) if below else up - 11, label, "mark", anchor)
