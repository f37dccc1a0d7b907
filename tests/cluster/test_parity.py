"""One search file, run here with one worker and on Katib one at a time, tries the same candidates and stops the same ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.searches import Workplace
from tunesmith.record import Record
from tunesmith.study import State, Trial

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

FUNCTION = """
def learning(candidate, context):
    losses = [(candidate["x"] - 0.3) ** 2 + abs(candidate["n"] - 4) + 1 / step for step in range(1, 7)]
    for step, loss in enumerate(losses, 1):
        context.report(step, {"loss": loss})
    return losses[-1]
"""
SECTIONS = {
    "space": {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}, "n": {"int": [1, 9]}}},
    "strategy": {"name": "tpe", "seed": 3, "startup": 4},
    "scheduler": {"name": "median", "trials": 3, "steps": 2},
    "evaluation": {"kind": "function", "function": "learning.py:learning"},
    "budget": {"trials": 20, "parallel": 1},
    "resources": {"gpu": 0},
}


def run_here(file: Path, folder: Path) -> list[Trial]:
    command = [sys.executable, "-m", "tunesmith", "search", str(file), "--folder", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    with Record.read(folder / "study") as record:
        return record.trials()


def test_twenty_candidates_are_the_same_and_so_are_those_that_are_stopped(workplace: Workplace) -> None:
    (workplace.folder / "learning.py").write_text(FUNCTION)
    file = workplace.write(**SECTIONS)
    here = run_here(file, workplace.folder / "here")
    workplace.succeed(file)
    there = workplace.trials(file)
    assert [trial.candidate for trial in there] == [trial.candidate for trial in here]
    assert [trial.state for trial in there] == [trial.state for trial in here]
    assert {State.FINISHED, State.STOPPED} == {trial.state for trial in there}
