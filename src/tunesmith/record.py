"""The record of a study: a folder with a SQLite database, the spec, and a folder of files per trial.

What is reported as done is on disk before the next step starts. The files alone are enough to rebuild the database.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Self

from tunesmith.database import open_for_reading, open_for_writing, open_in_memory, put_aside
from tunesmith.errors import StudyError
from tunesmith.files import disk_errors, write_json, write_text
from tunesmith.spaces._space import Candidate
from tunesmith.study import State, Trial
from tunesmith.yaml_text import read_yaml, write_yaml

Curve = list[tuple[int, dict[str, float]]]
# A study may be continued with more of these, or elsewhere; all else makes it another study.
CHANGEABLE = ("budget", "resources", "cluster", "gate", "final")


class Record:
    """A study's folder, opened for reading or, by one process at a time, for writing."""

    def __init__(self, folder: Path, writing: bool) -> None:
        self.folder = folder
        self.notice = self._described = ""
        self._lock: IO[str] | None = _lock(folder) if writing else None
        try:
            self._database = self._connect(writing)
        except BaseException:
            self._unlock()
            raise

    @classmethod
    def start(cls, folder: Path, content: Mapping[str, Any]) -> "Record":
        """Open the study for writing, new or to be continued; raises StudyError where it is another study or in use."""
        with disk_errors(folder):
            (folder / "trials").mkdir(parents=True, exist_ok=True)
            refuse_other_study(folder, content)
            record = cls(folder, writing=True)
            write_text(folder / "spec.yaml", write_yaml(content))
            record._adopt_files()
        return record

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """Open a finished or running study for reading; raises StudyError where there is none."""
        if not (folder / "spec.yaml").is_file():
            raise StudyError(f"{folder}: is no study (it has no spec.yaml)")
        return cls(folder, writing=False)

    @property
    def content(self) -> dict[str, Any]:
        """The search file with every default written out."""
        return read_yaml((self.folder / "spec.yaml").read_text(encoding="utf-8"), str(self.folder / "spec.yaml"))

    def trial_folder(self, number: int) -> Path:
        """Return the folder of one trial's files."""
        return self.folder / "trials" / str(number)

    def begin(self, number: int, candidate: Candidate, attempts: int = 1, parent: int | None = None) -> Trial:
        """Record that a trial starts, edited from the trial `parent`; earlier reports of an interrupted attempt are dropped."""
        trial = Trial(number, candidate, attempts=attempts, parent=parent)
        with disk_errors(self.folder):
            self.trial_folder(number).mkdir(exist_ok=True)
            write_json(self.trial_folder(number) / "candidate.json", dict(candidate))
            with self._database:
                self._database.execute("DELETE FROM report WHERE number = ?", (number,))
                self._put(trial)
        return trial

    def report(self, number: int, step: int, metrics: Mapping[str, float]) -> None:
        """Record the metrics of one step of a running trial."""
        with disk_errors(self.folder), self._database:
            row = (number, step, json.dumps(metrics))
            self._database.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?)", row)

    def finish(self, trial: Trial) -> None:
        """Record how a trial ended, in its folder first, then in the database."""
        with disk_errors(self.folder):
            write_json(self.trial_folder(trial.number) / "outcome.json", outcome_content(trial, self.curve(trial.number)))
            with self._database:
                self._put(trial)

    def trials(self) -> list[Trial]:
        """Return all trials by number."""
        rows = self._database.execute("SELECT * FROM trial ORDER BY number")
        return [_trial(*row) for row in rows]

    def curve(self, number: int) -> Curve:
        """Return (step, metrics) pairs of one trial, in order."""
        rows = self._database.execute("SELECT step, metrics FROM report WHERE number = ? ORDER BY step", (number,))
        return [(step, json.loads(metrics)) for step, metrics in rows]

    def curves(self) -> dict[int, Curve]:
        """Return the curves of all trials that reported steps."""
        curves: dict[int, Curve] = {}
        for number, step, metrics in self._database.execute("SELECT number, step, metrics FROM report ORDER BY number, step"):
            curves.setdefault(number, []).append((step, json.loads(metrics)))
        return curves

    @property
    def seconds(self) -> float:
        """Wall-clock seconds spent searching, over all sessions."""
        row = self._database.execute("SELECT value FROM study WHERE key = 'seconds'").fetchone()
        return float(row[0]) if row else 0.0

    def spend(self, seconds: float) -> None:
        """Record the wall-clock seconds spent searching so far."""
        with disk_errors(self.folder), self._database:
            self._database.execute("INSERT OR REPLACE INTO study VALUES ('seconds', ?)", (str(seconds),))

    @property
    def strategy(self) -> list[tuple[int, str]]:
        """What the strategy did and why, each with the number of the first trial that it was so for."""
        row = self._database.execute("SELECT value FROM study WHERE key = 'strategy'").fetchone()
        return [(number, text) for number, text in json.loads(row[0])] if row else []

    def describe_strategy(self, number: int, text: str) -> None:
        """Record what the strategy does from trial `number` on; nothing where that is what it did before."""
        if text == self._described:
            return
        told = self.strategy
        self._described = text
        if text == (told[-1][1] if told else ""):
            return
        with disk_errors(self.folder), self._database:
            value = json.dumps([*told, (number, text)])
            self._database.execute("INSERT OR REPLACE INTO study VALUES ('strategy', ?)", (value,))

    def close(self) -> None:
        """Close the database and let others write."""
        self._database.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, trial: Trial) -> None:
        row = (
            *(trial.number, json.dumps(dict(trial.candidate)), trial.state.value, json.dumps(trial.metrics), trial.reason),
            *(trial.seconds, trial.attempts, json.dumps(trial.facts), trial.parent),
        )
        self._database.execute("INSERT OR REPLACE INTO trial VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _connect(self, writing: bool) -> sqlite3.Connection:
        path = self.folder / "study.db"
        if not path.exists() and any((self.folder / "trials").glob("*/outcome.json")):
            return self._rebuild(f"{path} is missing", writing)
        try:
            return open_for_writing(path) if writing else open_for_reading(path)
        except sqlite3.OperationalError as error:
            raise StudyError(f"{path}: cannot be opened ({error})") from None
        except sqlite3.DatabaseError as error:
            return self._rebuild(f"{path} is damaged ({error})", writing)

    def _rebuild(self, problem: str, writing: bool) -> sqlite3.Connection:
        """Make the database anew from the trials' files: in place of the damaged one, or for a reader in memory."""
        path = self.folder / "study.db"
        if writing:
            put_aside(path)
        self._database = open_for_writing(path) if writing else open_in_memory()
        found = self._adopt_files()
        self.notice = f"{problem}: rebuilt from the files of {found} trials"
        return self._database

    def _adopt_files(self) -> int:
        """Take over what the trials' folders know and the database does not; returns the number of trials taken."""
        known = dict(self._database.execute("SELECT number, state FROM trial"))
        numbers = sorted(int(entry.name) for entry in os.scandir(self.folder / "trials") if entry.name.isdigit())
        taken = 0
        with self._database:
            for number in numbers:
                if known.get(number, State.RUNNING) == State.RUNNING:
                    taken += self._adopt(number)
        return taken

    def _adopt(self, number: int) -> bool:
        folder = self.trial_folder(number)
        outcome = _read_json(folder / "outcome.json")
        candidate = _read_json(folder / "candidate.json")
        if candidate is None:
            return False
        if outcome is None:
            known = self._database.execute("SELECT 1 FROM trial WHERE number = ?", (number,)).fetchone()
            if not known:
                self._put(Trial(number, candidate))
            return True
        curve = outcome.pop("curve", [])
        outcome["state"] = State(outcome["state"])
        self._put(Trial(number, candidate, **outcome))
        rows = [(number, step, json.dumps(metrics)) for step, metrics in curve]
        self._database.executemany("INSERT OR REPLACE INTO report VALUES (?, ?, ?)", rows)
        return True


def _lock(folder: Path) -> IO[str]:
    handle = (folder / ".lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise StudyError(f"{folder}: another process is searching in this study; wait for it or stop it") from None
    return handle


def refuse_other_study(folder: Path, content: Mapping[str, Any]) -> None:
    """Raise StudyError, naming what differs, where `folder` holds another study than that of `content`."""
    path = folder / "spec.yaml"
    if not path.exists():
        return
    recorded = read_yaml(path.read_text(encoding="utf-8"), str(path))
    comparable = [{key: value for key, value in spec.items() if key not in CHANGEABLE} for spec in (recorded, dict(content))]
    differences = list(_differences(*(json.loads(json.dumps(spec)) for spec in comparable), where=""))
    if differences:
        listed = "\n  ".join(differences)
        raise StudyError(f"{folder}: holds a study of another spec; choose another folder. What differs:\n  {listed}")


def _differences(recorded: Any, given: Any, where: str) -> Iterable[str]:
    if isinstance(recorded, dict) and isinstance(given, dict):
        for key in dict.fromkeys([*recorded, *given]):
            yield from _differences(recorded.get(key), given.get(key), f"{where}.{key}".lstrip("."))
    elif recorded != given and where.endswith(".sha256"):
        yield f"{where.removesuffix('.sha256')}: the function's code was edited ({recorded} in the study, {given} now)"
    elif recorded != given:
        yield f"{where}: {recorded!r} in the study, {given!r} now"


def outcome_content(trial: Trial, curve: Curve) -> dict[str, Any]:
    """Return what `outcome.json` holds of an ended trial."""
    fields = ("state", "metrics", "reason", "seconds", "attempts", "facts", "parent")
    return {name: getattr(trial, name) for name in fields} | {"curve": curve}


def _trial(number: int, candidate: str, state: str, metrics: str, reason: str, *rest: Any) -> Trial:
    """Return the trial of a row, whose last columns are seconds, attempts, facts and, but in an old database, the parent."""
    seconds, attempts, facts, *parent = rest
    return Trial(
        *(number, json.loads(candidate), State(state), json.loads(metrics), reason, seconds, attempts, json.loads(facts)),
        *parent,
    )


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return a file's content; None where it is missing or was cut off by a crash of the machine."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
