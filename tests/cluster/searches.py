"""Searches of the cluster tests: their files, the volume that this machine shares with the pods, and the command line."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tunesmith.record import Record
from tunesmith.study import State, Trial

HERE = Path(__file__).parent
X = {"x": {"uniform": [0, 1]}}
IMAGE = os.environ.get("TUNESMITH_IMAGE") or "localhost/tunesmith-python:0.1.0"


@dataclass
class Workplace:
    """A namespace with a volume at `volume`, the same path here and in the pods, and a folder for search files."""

    namespace: str
    kubeconfig: str
    volume: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str = "search", **sections: Any) -> Path:
        """Write a search file of the objectives beside this module; `sections` are merged into it."""
        shutil.copy(HERE / "objectives.py", self.folder)
        content: dict[str, Any] = {
            "space": {"kind": "parameters", "parameters": X},
            "strategy": {"name": "random", "seed": 1},
            "evaluation": {"kind": "function", "function": "objectives.py:quick"},
            "budget": {"trials": 4, "parallel": 4},
            "resources": {"gpu": 1, "cpu": 0.1},
            "cluster": {
                **{"namespace": self.namespace, "image": IMAGE, "storage": str(self.volume), "start_seconds": 120},
                "volumes": [{"claim": "studies", "path": str(self.volume)}],
            },
        }
        for section, given in sections.items():
            merges = section != "space" and isinstance(given, dict)
            content[section] = {**content.get(section, {}), **given} if merges else given
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    def start(self, file: Path, *options: str) -> "subprocess.Popen[str]":
        """Start `tunesmith search FILE --engine katib`."""
        command = [sys.executable, "-m", "tunesmith", "search", str(file), "--engine", "katib", "--json"]
        folder = ["--folder", str(self.folder / "runs" / file.stem)]
        return subprocess.Popen(
            *([*command, *folder, *options],),
            env={**os.environ, **self.environment, "KUBECONFIG": self.kubeconfig},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def search(self, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `tunesmith search FILE --engine katib` to its end."""
        process = self.start(file, *options)
        output, errors = process.communicate(timeout=600)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def succeed(self, file: Path, *options: str) -> dict[str, Any]:
        """Run a search that ends well; returns its summary."""
        done = self.search(file, *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def trials(self, file: Path) -> list[Trial]:
        """Return the recorded trials of a search file."""
        with Record.read(self.study(file)) as record:
            return record.trials()

    def study(self, file: Path) -> Path:
        """Return the folder of a search file's study."""
        return self.folder / "runs" / file.stem / "study"

    def study_id(self, file: Path) -> str:
        """Return the id by which a study's Experiments are labelled."""
        return json.loads((self.study(file) / "katib.json").read_text())["study_id"]


def finished(trials: list[Trial]) -> list[Trial]:
    """Return the trials that ended well."""
    return [trial for trial in trials if trial.state is State.FINISHED]


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Return what `condition` returns once that is true; fails, saying what was waited for."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.5)
    raise AssertionError(f"waited {seconds:g} s for {what}")
