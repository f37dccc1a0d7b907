import json
from pathlib import Path

import pytest

from tunesmith.errors import StudyError
from tunesmith.pipeline_run.folder import RunFolder, choose_folder

ARGUMENTS = {"trials": 3, "share": 0.5, "formats": ["onnx"]}


def begin(runs: Path, status: str | None = None) -> Path:
    path, _ = choose_folder(runs, "tune", ARGUMENTS)
    RunFolder.create(path, "tune", ARGUMENTS).lock.close()
    if status:
        (path / "summary.json").write_text(json.dumps({"status": status}))
    return path


def test_the_first_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    path, goes_on = choose_folder(tmp_path / "runs", "tune", ARGUMENTS)
    assert path.parent == tmp_path / "runs"
    assert path.name.startswith("tune-")
    assert not goes_on


@pytest.mark.parametrize("status", [None, "failed"])
def test_a_run_that_did_not_come_to_its_end_is_gone_on_with(tmp_path: Path, status: str | None) -> None:
    path = begin(tmp_path, status)
    assert choose_folder(tmp_path, "tune", ARGUMENTS) == (path, True)


@pytest.mark.parametrize("status", ["succeeded", "gate failed"])
def test_a_run_that_came_to_its_end_is_left_alone(tmp_path: Path, status: str) -> None:
    path = begin(tmp_path, status)
    again, goes_on = choose_folder(tmp_path, "tune", ARGUMENTS)
    assert again != path
    assert not goes_on


def test_other_arguments_or_another_pipeline_begin_anew(tmp_path: Path) -> None:
    begin(tmp_path)
    assert not choose_folder(tmp_path, "tune", {**ARGUMENTS, "trials": 4})[1]
    assert not choose_folder(tmp_path, "design", ARGUMENTS)[1]


def test_a_run_in_progress_is_not_disturbed(tmp_path: Path) -> None:
    path, _ = choose_folder(tmp_path, "tune", ARGUMENTS)
    running = RunFolder.create(path, "tune", ARGUMENTS)
    assert not choose_folder(tmp_path, "tune", ARGUMENTS)[1]
    running.lock.close()


def test_going_on_drops_old_outputs_and_keeps_the_studies(tmp_path: Path) -> None:
    path = begin(tmp_path, "failed")
    (path / "steps" / "old").mkdir(parents=True)
    (path / "studies" / "abc").mkdir(parents=True)
    begin(tmp_path)
    assert not (path / "steps").exists()
    assert not (path / "summary.json").exists()
    assert (path / "studies" / "abc").is_dir()


def test_latest_is_the_newest_run(tmp_path: Path) -> None:
    begin(tmp_path, "succeeded")
    newest = begin(tmp_path)
    assert (tmp_path / "latest").resolve() == newest


def test_two_runs_that_begin_at_once_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    path, _ = choose_folder(tmp_path, "tune", ARGUMENTS)
    first = RunFolder.create(path, "tune", ARGUMENTS)
    with pytest.raises(StudyError, match="another process runs a pipeline here"):
        RunFolder.create(path, "tune", ARGUMENTS)
    first.lock.close()
