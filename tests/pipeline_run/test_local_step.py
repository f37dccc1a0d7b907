import os
from pathlib import Path

import pytest

from tunesmith.pipeline_run.local_step import MARK, STUDIES, pace, place_of_study, step, step_console


def test_in_a_cluster_a_study_lies_in_its_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STUDIES, raising=False)
    assert place_of_study(tmp_path / "study", "abc") == tmp_path / "study"
    assert not (tmp_path / "study").exists()


def test_a_second_attempt_finds_the_study_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STUDIES, str(tmp_path / "studies"))
    first = place_of_study(tmp_path / "one" / "study", "abc")
    (first / "spec.yaml").write_text("kept")
    assert place_of_study(tmp_path / "two" / "study", "abc") == first
    assert (tmp_path / "two" / "study" / "spec.yaml").read_text() == "kept"
    assert (tmp_path / "study").resolve() == first, "a running study can be looked at"
    assert place_of_study(tmp_path / "three" / "study", "other") != first


def test_lines_for_the_user_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    step_console().print("one\ntwo")
    assert capsys.readouterr().out == f"{MARK}one\n{MARK}two\n"


def test_a_terminal_asks_for_a_quicker_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_PACE", "0.25")
    assert pace() == 0.25


def test_a_step_outside_a_local_run_stays_in_its_process_group() -> None:
    assert step(os.getpgrp)() == os.getpgrp()
