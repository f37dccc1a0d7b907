"""The headline figures of a report, and the one line below its title."""

from dataclasses import dataclass

from tunesmith.report._format import count, duration, figure, interval, milliseconds, size
from tunesmith.report.content import ReportContent
from tunesmith.study import State

HEADLINES = {"accuracy": "test accuracy", "mae": "test mean absolute error"}


@dataclass(frozen=True)
class Tile:
    """A figure, what it is, and a line of explanation."""

    name: str
    figure: str
    note: str


def tiles(content: ReportContent) -> list[Tile]:
    """Return the tiles, the most important first; none of them is empty."""
    return [tile for tile in (_test(content), _best(content), _model(content), _trials(content), _time(content)) if tile]


def _test(content: ReportContent) -> Tile | None:
    evaluation = content.evaluation or {}
    metrics, intervals = evaluation.get("metrics") or {}, evaluation.get("intervals") or {}
    metric = next((name for name in HEADLINES if name in metrics), None)
    if metric is None:
        return None
    bounds = interval(metric, intervals.get(metric))
    notes = [
        f"95 % interval {bounds}" if bounds else "",
        f"{count(evaluation['examples'])} examples" if evaluation.get("examples") else "",
    ]
    return Tile(HEADLINES[metric], figure(metric, metrics[metric]), ", ".join(filter(None, notes)))


def _best(content: ReportContent) -> Tile:
    metric = content.objective.metric
    name = f"{metric} at the knee" if content.front else f"best {metric}"
    if content.best is None:
        return Tile(name, "none", f"no trial has finished{' within the constraints' if content.constraints else ''}")
    notes = [f"trial {content.best.number}", further(content)]
    return Tile(name, figure(metric, content.value(content.best)), ", ".join(filter(None, notes)))


def further(content: ReportContent) -> str:
    """Return the best trial's other metrics that the search asks for."""
    metrics = content.best.metrics if content.best else {}
    return ", ".join(f"{name} {figure(name, metrics[name])}" for name in content.aims.metrics[1:] if name in metrics)


def _model(content: ReportContent) -> Tile | None:
    evaluation = content.evaluation or {}
    if evaluation.get("parameters") is None:
        return None
    notes = [size(evaluation.get("size")), f"{fast} an answer" if (fast := milliseconds(evaluation.get("latency"))) else ""]
    return Tile("model's parameters", count(evaluation["parameters"]), ", ".join(filter(None, notes)))


def _trials(content: ReportContent) -> Tile:
    counts = [(state.value, len(content.in_state(state))) for state in State if state is not State.FINISHED]
    notes = [f"{amount} {state}" for state, amount in counts if amount]
    return Tile("trials", count(len(content.trials)), ", ".join(notes) or ("all finished" if content.trials else ""))


def _time(content: ReportContent) -> Tile | None:
    if content.seconds is None:
        return None
    ended = [trial.seconds for trial in content.trials if trial.done]
    return Tile("search took", duration(content.seconds), f"{duration(sum(ended) / len(ended))} a trial" if ended else "")


def subtitle(content: ReportContent) -> str:
    """Return strategy, space and data of the search in one line."""
    strategy, space, data = (_section(content, name) for name in ("strategy", "space", "data"))
    goals = [f"{objective.goal} {objective.metric}" for objective in content.aims.objectives]
    goal = ", ".join([*goals, *(str(constraint) for constraint in content.constraints)])
    picked = " then ".join(dict.fromkeys(text.partition(":")[0] for _, text in content.strategy))
    by = f"{strategy.get('name')} ({picked})" if picked else strategy.get("name")
    parts = [goal, by, space.get("kind"), (content.dataset or {}).get("source") or data.get("uri")]
    names = ["goal", "strategy", "space", "data"]
    return " · ".join(f"{name}: {part}" for name, part in zip(names, parts, strict=True) if part)


def _section(content: ReportContent, name: str) -> dict[str, object]:
    section = content.spec.get(name)
    return section if isinstance(section, dict) else {}
