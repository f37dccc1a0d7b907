"""The short table at the end of a run, and the same as plain data (`summary.json`)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tunesmith.aims import Aims
from tunesmith.errors import StudyError
from tunesmith.files import write_json

MOST_PARAMETERS = 8
MOST_LETTERS = 60


def make_summary(
    search: Mapping[str, Any], evaluation: Mapping[str, Any] | None, seconds: float, outputs: Mapping[str, Path]
) -> dict[str, Any]:
    """Return the summary of a run.

    search: `Outcome.to_json()`. evaluation: `Evaluation.to_json()`, None where no model was trained. seconds: of the whole
    run. outputs: where each output lies.
    """
    metrics = dict(evaluation["metrics"]) if evaluation else {}
    intervals = evaluation.get("intervals", {}) if evaluation else {}
    return {
        **{f"test_{name}": value for name, value in metrics.items()},
        "test_intervals": dict(intervals),
        **{name: search[name] for name in ("best", "objective", "value", "trials", "failed", "stopped")},
        **{name: search[name] for name in ("objectives", "constraints", "front", "hypervolume") if name in search},
        **({"strategy": search["strategy"]} if "strategy" in search else {}),
        "search_seconds": search["seconds"],
        "seconds": round(seconds, 3),
        "outputs": {name: str(path) for name, path in outputs.items()},
    }


def save_summary(summary: Mapping[str, Any], folder: Path) -> None:
    """Write `summary.json` into `folder`."""
    write_json(folder / "summary.json", summary)


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print the summary as a table."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _rows(summary):
        table.add_row(label, text)
    console.print()
    console.print(table, highlight=False)


def _rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    metrics = [metric for metric in ("accuracy", "mae", "rmse", "r2") if f"test_{metric}" in summary]
    rows += [(f"test {metric}", _figure(metric, summary)) for metric in metrics]
    best = summary["best"]
    rows += _aims(summary)
    rows.append(("best candidate", describe_candidate(best["candidate"])))
    if "strategy" in summary:
        rows.append(("strategy", summary["strategy"]))
    rows.append(("trials", f"{summary['trials']} run, {summary['failed']} failed, {summary['stopped']} stopped early"))
    rows.append(("time", str(timedelta(seconds=round(summary["seconds"])))))
    return rows + [(name, path) for name, path in summary["outputs"].items()]


def _aims(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the best trial's metrics that the search was after, and the front where there are several objectives."""
    best, front = summary["best"], summary.get("front", ())
    asked = Aims.of(summary).metrics if "objectives" in summary else (summary["objective"]["metric"],)
    rows = [(metric, f"{rounded(best['metrics'][metric])} (trial {best['trial']})") for metric in asked]
    if not front:
        return rows
    named = ", ".join(str(trial["trial"]) for trial in front[:MOST_PARAMETERS])
    return [*rows, ("Pareto front", f"{len(front)} trials: {named}{', ...' if len(front) > MOST_PARAMETERS else ''}")]


def _figure(metric: str, summary: Mapping[str, Any]) -> str:
    value = summary[f"test_{metric}"]
    interval = summary["test_intervals"].get(metric)
    if metric == "accuracy":
        return f"{value:.2%}" + (f" (95 % interval {interval[0]:.2%} to {interval[1]:.2%})" if interval else "")
    return f"{value:.4g}" + (f" (95 % interval {interval[0]:.4g} to {interval[1]:.4g})" if interval else "")


def rounded(value: float) -> str:
    """Return a figure's four significant digits, or all of a large one's whole part."""
    return f"{value:.4g}" if abs(value) < 1e4 or abs(value) >= 1e9 else f"{value:.0f}"


def describe_candidate(candidate: Mapping[str, Any], most: int = MOST_PARAMETERS) -> str:
    """Return a candidate in one line, its first `most` parameters."""
    parts = [f"{name}={_short(value)}" for name, value in list(candidate.items())[:most]]
    more = len(candidate) - len(parts)
    return ", ".join(parts) + (f", and {more} more" if more > 0 else "")


def _short(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."


def print_exports(records: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print what was exported."""
    table = Table("format", "path", "size", "difference", "latency", box=SIMPLE)
    for record in records:
        latency = record["latency"]["median_ms"]
        size = f"{record['size'] / 1024:.0f} KiB"
        table.add_row(record["format"], record["path"], size, f"{record['difference']:.1e}", f"{latency:.2f} ms")
    console.print(table)


def study_folder(folder: Path) -> Path:
    """Return the study's folder, given it or the run's that holds it; raises StudyError where there is none."""
    for place in (folder, folder / "study"):
        if (place / "spec.yaml").is_file():
            return place
    raise StudyError(f"{folder}: holds no study (no spec.yaml in it or in its folder 'study')")
