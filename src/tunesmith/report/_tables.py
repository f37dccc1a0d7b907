"""The tables of a report as plain rows of text, cut to a length that stays readable."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.report._format import (
    count,
    duration,
    figure,
    interval,
    is_number,
    milliseconds,
    number,
    numbers,
    shortened,
    size,
)
from tunesmith.report._parameters import varying_parameters
from tunesmith.report.content import ReportContent
from tunesmith.study import State, Trial

SHOWN, MOST_ROWS, MOST_COLUMNS, MOST_REASONS = 15, 200, 6, 20
VALUE_LENGTH, REASON_LENGTH = 28, 600


@dataclass(frozen=True)
class Row:
    """One trial of the leaderboard; `further` are its metrics beside the first objective, `cells` its parameters' values."""

    rank: str
    trial: int
    state: str
    value: str
    further: tuple[str, ...]
    cells: tuple[str, ...]
    seconds: str
    best: bool


@dataclass(frozen=True)
class Leaderboard:
    """The rows shown at once, those folded away, and how many more trials there are; `metrics` beside the first objective."""

    metrics: list[str]
    parameters: list[str]
    shown: list[Row]
    folded: list[Row]
    left_out: int


@dataclass(frozen=True)
class Reason:
    """Why trials failed or were stopped; `trials` names them."""

    state: str
    reason: str
    count: int
    trials: str


def leaderboard(content: ReportContent) -> Leaderboard:
    """Return the trials in order with the parameters that differ between them."""
    names = varying_parameters(content.ranked, MOST_COLUMNS) or list(content.ranked[0].candidate if content.ranked else ())
    rows = [_row(content, rank, trial, names[:MOST_COLUMNS]) for rank, trial in enumerate(content.ranked[:MOST_ROWS], 1)]
    left_out = max(0, len(content.ranked) - MOST_ROWS)
    return Leaderboard(list(content.aims.metrics[1:]), names[:MOST_COLUMNS], rows[:SHOWN], rows[SHOWN:], left_out)


def _row(content: ReportContent, rank: int, trial: Trial, names: Sequence[str]) -> Row:
    value = content.value(trial)
    return Row(
        rank=f"{rank}{' *' * (trial in content.front)}" if trial.state is State.FINISHED and value is not None else "",
        trial=trial.number,
        state=trial.state.value,
        value=_value(value),
        further=tuple(_value(trial.metrics.get(name)) for name in content.aims.metrics[1:]),
        cells=tuple(_cell(trial.candidate[name]) if name in trial.candidate else "" for name in names),
        seconds=duration(trial.seconds) if trial.done else "",
        best=content.best is not None and trial.number == content.best.number,
    )


def _value(value: float | None) -> str:
    return "" if value is None else f"{value:#.4g}" if 1e-3 <= abs(value) < 1e3 else number(value)


def _cell(value: object) -> str:
    return shortened(str(value).lower() if isinstance(value, bool) else number(value), VALUE_LENGTH)


def reasons(content: ReportContent) -> list[Reason]:
    """Return the reasons of failed and stopped trials, most frequent first; reasons that differ in numbers only are one."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for state in (State.FAILED, State.STOPPED):
        for trial in content.in_state(state):
            groups.setdefault((state.value, re.sub(r"\d+(\.\d+)?", "0", trial.reason.strip())), []).append(trial)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0] == State.STOPPED, -len(item[1])))
    return [
        Reason(
            state,
            shortened(trials[0].reason.strip() or "no reason was recorded", REASON_LENGTH),
            len(trials),
            numbers(trial.number for trial in trials),
        )
        for (state, _), trials in ordered[:MOST_REASONS]
    ]


def exports_table(exports: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return format, difference, size and latency of each export."""
    return [
        {
            "format": str(export.get("format", "")).replace("_", " "),
            "difference": number(export.get("difference")) if is_number(export.get("difference")) else "",
            "allowed": number(export.get("allowed")) if is_number(export.get("allowed")) else "",
            "size": size(export.get("size")),
            "latency": milliseconds(export.get("latency")),
        }
        for export in exports
    ]


def figures_table(evaluation: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (figure, value, interval) of the test split and the model."""
    metrics, intervals = evaluation.get("metrics") or {}, evaluation.get("intervals") or {}
    rows = [(_words(name), figure(name, value), interval(name, intervals.get(name))) for name, value in metrics.items()]
    rest = [
        ("test examples", count(evaluation.get("examples"))),
        ("parameters", count(evaluation.get("parameters"))),
        ("model file", size(evaluation.get("size"))),
        ("one answer takes", milliseconds(evaluation.get("latency"))),
    ]
    return rows + [(name, value, "") for name, value in rest if value]


def _words(name: str) -> str:
    known = {"mae": "mean absolute error", "rmse": "root mean squared error", "r2": "R²", "roc_auc": "area under the ROC curve"}
    return known.get(name, name.replace("_", " "))


def class_rows(evaluation: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return precision, recall, F1 and support of each class that has them."""
    classes = [entry for entry in evaluation.get("classes") or () if isinstance(entry, Mapping)]
    return [
        {
            "name": str(entry.get("name", "")),
            **{name: _share(entry.get(name)) for name in ("precision", "recall", "f1")},
            "support": count(entry.get("support")),
        }
        for entry in classes
    ]


def _share(value: object) -> str:
    return f"{100 * value:.1f} %" if is_number(value) else ""
