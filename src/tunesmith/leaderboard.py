"""A study's trials in order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunesmith.errors import StudyError
from tunesmith.record import Record
from tunesmith.study import Objective, State, Trial, ranking
from tunesmith.summary import describe_candidate, study_folder

# The width of a row's other columns and of the space between all.
OTHER_COLUMNS = 45


def leaderboard(folder: Path, top: int) -> dict[str, Any]:
    """Return the `top` best trials of a study, running or ended, and how many trials are in which state."""
    with Record.read(study_folder(folder)) as record:
        trials = record.trials()
        objective = recorded_objective(record)
        return {
            "study": str(record.folder),
            "notice": record.notice,
            "objective": {"metric": objective.metric, "goal": objective.goal},
            "states": {state.value: sum(trial.state is state for trial in trials) for state in State},
            "seconds": record.seconds,
            "trials": [_row(trial) for trial in ranking(trials, objective)[:top]],
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


def recorded_objective(record: Record) -> Objective:
    """Return the objective of a recorded study."""
    first = record.content["objectives"][0]
    return Objective(first["metric"], first["goal"])


def _row(trial: Trial) -> dict[str, Any]:
    return {
        **{"trial": trial.number, "state": trial.state.value, "metrics": trial.metrics, "reason": trial.reason},
        **{"seconds": trial.seconds, "attempts": trial.attempts, "facts": trial.facts, "candidate": dict(trial.candidate)},
    }


def print_leaderboard(board: Mapping[str, Any], console: Console) -> None:
    """Print a leaderboard as a table."""
    if board["notice"]:
        console.print(board["notice"], style="yellow")
    metric = board["objective"]["metric"]
    table = Table("rank", "trial", metric, "state", "seconds", "candidate", box=SIMPLE)
    room = max(console.width - OTHER_COLUMNS - len(metric), 20)
    for rank, row in enumerate(board["trials"], start=1):
        value = row["metrics"].get(metric)
        shown = "" if value is None else f"{value:.4g}"
        about = describe_candidate(row["candidate"], 5) if row["state"] != State.FAILED else row["reason"]
        table.add_row(str(rank), str(row["trial"]), shown, row["state"], f"{row['seconds']:.1f}", _cut(about, room))
    console.print(table)
    console.print("  ".join(f"{count} {state}" for state, count in board["states"].items() if count))


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
