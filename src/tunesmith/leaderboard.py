"""A study's trials in order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunesmith.aims import Aims
from tunesmith.errors import StudyError
from tunesmith.ranking import pareto_front, ranking, volume_growth, volume_to_json
from tunesmith.record import Record
from tunesmith.study import State, Trial
from tunesmith.summary import describe_candidate, rounded, study_folder

# The width of a row's other columns and of the space between all; of a figure, and of the space beside it.
OTHER_COLUMNS = 45
DIGITS, PADDING = 6, 3


def leaderboard(folder: Path, top: int) -> dict[str, Any]:
    """Return the `top` best trials of a study, running or ended, and how many trials are in which state."""
    with Record.read(study_folder(folder)) as record:
        trials = record.trials()
        aims = Aims.of(record.content)
        return {
            "study": str(record.folder),
            "notice": record.notice,
            "objective": asdict(aims.objectives[0]),
            **(aims.to_json() if len(aims.objectives) > 1 or aims.constraints else {}),
            **({"front": front} if (front := _front(trials, aims)) else {}),
            **({"hypervolume": volume_to_json(growth)} if (growth := volume_growth(trials, aims)) else {}),
            "states": {state.value: sum(trial.state is state for trial in trials) for state in State},
            "seconds": record.seconds,
            "strategy": [{"from_trial": number, "text": text} for number, text in record.strategy],
            "trials": [_row(trial) for trial in ranking(trials, aims)[:top]],
        }


def trial_details(folder: Path, number: int) -> dict[str, Any]:
    """Return all that is recorded of one trial; raises StudyError where there is no such trial."""
    with Record.read(study_folder(folder)) as record:
        trials = {trial.number: trial for trial in record.trials()}
        if number not in trials:
            allowed = f"0 to {max(trials)}" if trials else "none, it has no trials yet"
            raise StudyError(f"{record.folder}: has no trial {number}; allowed: {allowed}")
        curve = [{"step": step, **metrics} for step, metrics in record.curve(number)]
        return {**_row(trials[number]), "curve": curve, "folder": str(record.trial_folder(number))}


def _front(trials: list[Trial], aims: Aims) -> list[int]:
    """Return the numbers of the Pareto front, where there are several objectives."""
    return [trial.number for trial in pareto_front(trials, aims)] if len(aims.objectives) > 1 else []


def _row(trial: Trial) -> dict[str, Any]:
    return {
        **{"trial": trial.number, "state": trial.state.value, "metrics": trial.metrics, "reason": trial.reason},
        **{"seconds": trial.seconds, "attempts": trial.attempts, "facts": trial.facts, "candidate": dict(trial.candidate)},
    }


def print_leaderboard(board: Mapping[str, Any], console: Console) -> None:
    """Print a leaderboard as a table."""
    if board["notice"]:
        console.print(board["notice"], style="yellow")
    metrics, front = _columns(board), set(board.get("front", ()))
    table = Table("rank", "trial", *metrics, "state", "seconds", "candidate", box=SIMPLE)
    further = sum(max(len(metric), DIGITS) + PADDING for metric in metrics[1:])
    room = max(console.width - OTHER_COLUMNS - len(metrics[0]) - further - len(" *" if front else ""), 20)
    for rank, row in enumerate(board["trials"], start=1):
        values = (row["metrics"].get(metric) for metric in metrics)
        shown = ["" if value is None else rounded(value) for value in values]
        place = f"{rank} *" if row["trial"] in front else str(rank)
        about = describe_candidate(row["candidate"], 5) if row["state"] != State.FAILED else row["reason"]
        table.add_row(place, str(row["trial"]), *shown, row["state"], f"{row['seconds']:.1f}", _cut(about, room))
    console.print(table)
    if front:
        console.print(f"* on the Pareto front ({len(front)} trials); the first is its knee")
    if board.get("hypervolume"):
        console.print(_volume(board["hypervolume"]), highlight=False)
    if board.get("constraints"):
        console.print(f"within {', '.join(board['constraints'])}", highlight=False)
    for told in board["strategy"]:
        console.print(f"from trial {told['from_trial']} on by {told['text']}", highlight=False, soft_wrap=True)
    console.print("  ".join(f"{count} {state}" for state, count in board["states"].items() if count))


def _volume(growth: Sequence[Mapping[str, float]]) -> str:
    """Say how much the front dominates and since when; `growth` has an entry wherever it grew."""
    last, share = growth[-1]["trial"], growth[-1]["share"]
    half = [each["share"] for each in growth if each["trial"] <= last / 2]
    before = f", {half[-1]:.3f} at half of that" if half and len(growth) > 1 else ""
    return f"hypervolume {share:.3f} since trial {last}{before}"


def _columns(board: Mapping[str, Any]) -> list[str]:
    """Return the metrics of the objectives and the constraints, each once."""
    return list(Aims.of(board).metrics) if "objectives" in board else [board["objective"]["metric"]]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def print_trial(details: Mapping[str, Any], console: Console) -> None:
    """Print one trial."""
    for name in ("trial", "state", "reason", "seconds", "attempts", "folder"):
        if details[name] not in ("", None):
            console.print(Text.assemble((f"{name:10}", "bold"), f" {details[name]}"))
    for name in ("candidate", "metrics", "facts"):
        for key, value in details[name].items():
            console.print(Text.assemble((f"{name:10}", "bold"), f" {key} = {value}"))
    for point in details["curve"]:
        console.print("  ".join(f"{key} {value:.4g}" for key, value in point.items()), highlight=False)
