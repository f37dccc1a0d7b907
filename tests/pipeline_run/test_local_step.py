import json
import os
import signal
import time
from pathlib import Path

import pytest

from tunesmith.pipeline_run.local_step import (
    FIGURES,
    INTERRUPTING,
    MARK,
    STUDIES,
    pace,
    place_of_study,
    step,
    step_console,
    tell_figures,
)


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


def test_a_step_whose_pod_is_to_end_is_interrupted_once_and_leaves_signals_as_they_were() -> None:
    before = [signal.getsignal(number) for number in INTERRUPTING]

    def search() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            recorded.append("what there is")

    recorded: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        step(search)()
    assert recorded == ["what there is"]
    assert [signal.getsignal(number) for number in INTERRUPTING] == before


def test_figures_are_told_in_a_line_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    tell_figures("evaluate-model", {"test_accuracy": 0.5})
    mark, told = capsys.readouterr().out.split(" ", 1)
    assert f"{mark} " == FIGURES
    assert json.loads(told) == {"step": "evaluate-model", "figures": {"test_accuracy": 0.5}}
