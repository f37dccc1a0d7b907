"""Renders a report as one HTML file without scripts, that needs nothing from a network."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tunesmith.report._advice import describe_advice
from tunesmith.report._confusion import draw_confusion, draw_roc, mistakes
from tunesmith.report._curves import curve_metric, draw_curves
from tunesmith.report._data import describe_data
from tunesmith.report._fidelity import describe_fidelity
from tunesmith.report._foresight import describe_foresight
from tunesmith.report._format import count, duration, figure, number, shortened
from tunesmith.report._front import describe_front
from tunesmith.report._history import draw_history
from tunesmith.report._parameters import draw_parameters
from tunesmith.report._tables import class_rows, exports_table, figures_table, leaderboard, reasons
from tunesmith.report._tiles import further, subtitle, tiles
from tunesmith.report.content import ReportContent
from tunesmith.report.network import draw_network
from tunesmith.study import State
from tunesmith.yaml_text import write_yaml

CLASSES_SHOWN, MOST_CLASSES = 20, 200
MOST_PARAMETERS, VALUE_LENGTH = 60, 80


def render_html(content: ReportContent) -> str:
    """Return the report: the same bytes for the same content. All text of the user's is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("template.html.j2").render(_page(content))


def _page(content: ReportContent) -> dict[str, Any]:
    """Return the template's variables; an empty section is left out. Drawings are markup, escaped where they are made."""
    return {
        **{"title": content.title, "subtitle": subtitle(content), "tiles": tiles(content), "version": _version()},
        **{"trials": len(content.trials), "metric": content.objective.metric, "best": _best(content)},
        "better": "higher" if content.objective.goal == "maximize" else "lower",
        **{"front": describe_front(content), "bounded": bool(content.constraints)},
        "states": [(state.value, len(trials)) for state in State if (trials := content.in_state(state))],
        "history": draw_history(content),
        "kin": any(trial.parent is not None for trial in content.trials),
        **{"curves": draw_curves(content), "curve_metric": curve_metric(content) or ""},
        "network": draw_network(content.network or []),
        "pictures": [(name, draw_network(layers)) for name, layers in content.pictures.items()],
        "evaluation": _evaluation(content.evaluation) if content.evaluation else None,
        "board": leaderboard(content),
        "parameters": draw_parameters(content),
        "advice": describe_advice(content.advice) if content.advice else None,
        "foresight": describe_foresight(content.foresight),
        "foretold": [(name, f"{value:.2f}") for name, value in content.foretold.items()],
        "fidelity": describe_fidelity(content.fidelity, content.spec),
        "reasons": reasons(content),
        "exports": exports_table(content.exports or []),
        "data": describe_data(content.dataset) if content.dataset else None,
        "spec": write_yaml(content.spec),
        "strategy": content.strategy,
        "shown": CLASSES_SHOWN,
    }


def _best(content: ReportContent) -> dict[str, Any] | None:
    best = content.best
    if best is None:
        return None
    parameters = [(name, shortened(_value(value), VALUE_LENGTH)) for name, value in best.candidate.items()]
    return {
        **{"trial": count(best.number), "value": figure(content.objective.metric, content.value(best))},
        "further": further(content),
        "seconds": duration(best.seconds) if best.seconds else "",
        **{"parameters": parameters[:MOST_PARAMETERS], "left_out": max(0, len(parameters) - MOST_PARAMETERS)},
    }


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else number(value)


def _evaluation(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    figures = figures_table(evaluation)
    confusion = draw_confusion(evaluation)
    classes = class_rows(evaluation)
    return {
        **{"figures": figures, "intervals": any(interval for _, _, interval in figures)},
        "confusion": confusion,
        "mistakes": [] if confusion else mistakes(evaluation),
        "roc": draw_roc(evaluation.get("roc") or [], (evaluation.get("metrics") or {}).get("roc_auc")),
        **{"classes": classes[:MOST_CLASSES], "classes_left_out": max(0, len(classes) - MOST_CLASSES)},
    }


def _version() -> str:
    try:
        return version("tunesmith")
    except PackageNotFoundError:
        return ""
