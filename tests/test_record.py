"""The record survives what happens to disks and processes."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tunesmith.errors import StudyError
from tunesmith.record import Record
from tunesmith.study import State, Trial

SPEC = {
    "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}},
    "strategy": {"name": "random"},
    "budget": {"trials": 3},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with a finished trial, a failed one and one that was running when the process died."""
    with Record.start(tmp_path / "study", SPEC) as record:
        finish(record, Trial(0, {"x": 0.5}, State.FINISHED, {"loss": 0.25}, facts={"epochs": 3}), curve=[0.5, 0.25])
        finish(record, Trial(1, {"x": 0.7}, State.FAILED, reason="ValueError: no"))
        record.begin(2, {"x": 0.9})
        record.spend(12.5)
    return tmp_path / "study"


def finish(record: Record, trial: Trial, curve: list[float] | None = None) -> None:
    record.begin(trial.number, trial.candidate)
    for step, loss in enumerate(curve or [], start=1):
        record.report(trial.number, step, {"loss": loss})
    record.finish(trial)


def test_what_was_recorded_is_read_again(folder: Path) -> None:
    with Record.read(folder) as record:
        finished, failed, running = record.trials()
        assert (finished.metrics, finished.facts, finished.state) == ({"loss": 0.25}, {"epochs": 3}, State.FINISHED)
        assert (failed.reason, failed.state) == ("ValueError: no", State.FAILED)
        assert (running.candidate, running.done) == ({"x": 0.9}, False)
        assert record.curve(0) == [(1, {"loss": 0.5}), (2, {"loss": 0.25})]
        assert record.seconds == 12.5


def test_the_trials_files_tell_the_same(folder: Path) -> None:
    outcome = json.loads((folder / "trials/0/outcome.json").read_text())
    assert outcome["metrics"] == {"loss": 0.25}
    assert json.loads((folder / "trials/2/candidate.json").read_text()) == {"x": 0.9}
    assert not (folder / "trials/2/outcome.json").exists()


@pytest.mark.parametrize("damage", ["garbage", "truncated", "a page overwritten", "missing"])
def test_a_damaged_database_is_rebuilt_from_the_outcomes_and_said_so(folder: Path, damage: str) -> None:
    with Record.read(folder) as record:
        before, curve = record.trials(), record.curve(0)
        record._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    harm(folder / "study.db", damage)
    with Record.start(folder, SPEC) as record:
        assert record.trials() == before
        assert record.curve(0) == curve
        assert "rebuilt from the files of 3 trials" in record.notice
    with Record.start(folder, SPEC) as record:
        assert record.notice == ""


def harm(database: Path, damage: str) -> None:
    if damage == "missing":
        database.unlink()
        return
    content = bytearray(database.read_bytes())
    if damage == "garbage":
        content[:] = b"garbage" * 100
    elif damage == "truncated":
        content = content[:5000]
    else:
        content[4096:8192] = b"\xff" * 4096
    database.write_bytes(content)


def test_an_outcome_written_just_before_the_process_died_counts(folder: Path) -> None:
    with Record.read(folder) as record:
        finished = record.trials()[0]
    shutil.copy(folder / "trials/0/outcome.json", folder / "trials/2/outcome.json")
    with Record.start(folder, SPEC) as record:
        assert record.trials()[2].state is State.FINISHED
        assert record.trials()[2].metrics == finished.metrics


def test_a_study_of_another_spec_is_refused_saying_what_differs(folder: Path) -> None:
    other = {**SPEC, "strategy": {"name": "tpe"}}
    with pytest.raises(StudyError, match=r"strategy\.name: 'random' in the study, 'tpe' now"):
        Record.start(folder, other)


def test_a_study_may_be_continued_with_a_larger_budget(folder: Path) -> None:
    with Record.start(folder, {**SPEC, "budget": {"trials": 30}, "resources": {"seconds": 5}}) as record:
        assert record.content["budget"] == {"trials": 30}


def test_a_study_of_a_newer_version_is_refused_and_left_alone(folder: Path) -> None:
    with sqlite3.connect(folder / "study.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StudyError, match=r"newer Tunesmith .format 99"):
        Record.start(folder, SPEC)
    assert not list(folder.glob("study.db.damaged*"))


def test_two_processes_cannot_search_in_one_study(folder: Path) -> None:
    with Record.start(folder, SPEC), pytest.raises(StudyError, match="another process is searching"):
        Record.start(folder, SPEC)


def test_a_database_in_use_by_another_is_not_taken_for_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, **(options | {"timeout": 0.1})))
    with closing(connect(folder / "study.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StudyError, match=r"study\.db: cannot be opened .database is locked"):
            Record.start(folder, SPEC)
    assert not list(folder.glob("study.db.damaged*"))
    Record.start(folder, SPEC).close()


def test_a_reader_changes_nothing_even_of_a_damaged_study(folder: Path) -> None:
    (folder / "study.db").write_bytes(b"garbage" * 100)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with Record.read(folder) as record:
        assert [trial.state for trial in record.trials()] == [State.FINISHED, State.FAILED, State.RUNNING]
        assert "study.db is damaged" in record.notice
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_study_can_be_read_while_it_is_searched(folder: Path) -> None:
    with Record.start(folder, SPEC) as writer, Record.read(folder) as reader:
        finish(writer, Trial(2, {"x": 0.9}, State.FINISHED, {"loss": 0.1}))
        assert reader.trials()[2].metrics == {"loss": 0.1}


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="is no study"):
        Record.read(tmp_path)


def test_beginning_a_trial_again_drops_the_reports_of_its_interrupted_attempt(folder: Path) -> None:
    with Record.start(folder, SPEC) as record:
        record.report(2, 1, {"loss": 0.4})
        record.begin(2, {"x": 0.9}, attempts=2)
        assert record.curve(2) == []
        assert record.trials()[2].attempts == 2
