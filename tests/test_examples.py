"""Every example runs as it stands, and ends with what it promises."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
# What each program's output must show; a program without an entry must merely run.
SHOWN = {
    "minimize_quadratic": r"best x (1\.0[0-4]|0\.9[5-9]).*500 trials",
    "invalid_at_zero": r"x =  0  failed  1/x is not defined at 0(.|\n)*best x -1, value -1",
    "optimizer_and_learning_rate": r"best \{'optimizer': '(sgd|adam)'.*error 0\.\d+",
    "build_function": r"validation accuracy (0\.\d+), the model's own \1",
}
# A long search is shortened, all else stays.
SHORTENED = {"digits": ["--trials", "2"], "cells": ["--trials", "2"], "growing_networks": ["--trials", "3"]}


@pytest.mark.parametrize("program", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_an_example_program_runs(program: str, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / f"{program}.py")]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert re.search(SHOWN.get(program, ""), done.stdout), done.stdout


@pytest.mark.parametrize("search", sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
def test_an_example_search_ends_with_a_judged_and_exported_model(search: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tunesmith",
        "search",
        str(EXAMPLES / f"{search}.yaml"),
        "--json",
        *SHORTENED.get(search, []),
    ]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["test_accuracy"] > 0.6
    outputs = {name: tmp_path / path for name, path in summary["outputs"].items()}
    assert {path.name for path in outputs["exports"].iterdir()} >= {"saved_model", "onnx", "export.json"}
    assert "<svg" in outputs["report"].read_text()
