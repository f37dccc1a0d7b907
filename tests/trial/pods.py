"""Runs `tunesmith trial` as a pod does: a process of its own, told by its environment, with a storage and Katib's database."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.katib.db_manager import DBManager
from tunesmith.code import load_function, source_hash
from tunesmith.katib.candidate import encode
from tunesmith.spec import parse_spec

PARAMETERS = {"kind": "parameters", "parameters": {"x": {"uniform": [0, 1]}}}


def encoded(content: Any) -> str:
    """Return plain data as the engine puts it into an environment variable."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@dataclass
class Pod:
    """A place for one trial's pods: `folder` holds the storage, the user's code and the pod's own disk."""

    folder: Path
    manager: DBManager
    environ: dict[str, str] = field(default_factory=dict)
    candidate: dict[str, Any] = field(default_factory=lambda: {"x": 0.25})
    number: int = 3

    @property
    def name(self) -> str:
        """The trial's name."""
        return f"study-{self.number:04d}-01ab23cd"

    @property
    def home(self) -> Path:
        """The trial's folder at the storage."""
        return self.folder / "storage" / "trials" / str(self.number)

    def tell(self, content: dict[str, Any], **environ: str) -> None:
        """Set the environment that the engine would set for a study of that content."""
        self.environ |= {
            "TUNESMITH_SPEC": encoded(content),
            "TUNESMITH_CANDIDATE": encode(self.candidate),
            "TUNESMITH_TRIAL": self.name,
            "TUNESMITH_STUDY": f"file://{self.folder}/storage",
            **environ,
        }

    def tell_function(self, source: str, **sections: Any) -> None:
        """Let the trial evaluate `loss` of that source in objective.py."""
        # The client has the same file at another place.
        for place in ("code", "client"):
            (self.folder / place).mkdir(exist_ok=True)
            (self.folder / place / "objective.py").write_text(source)
        function = {"kind": "function", "function": "objective.py:loss"}
        spec = {"space": PARAMETERS, "strategy": {"name": "tpe", "seed": 7}, "evaluation": function, **sections}
        content = parse_spec(spec).to_json()
        content["evaluation"]["sha256"] = source_hash(load_function("objective.py:loss", "test", self.folder / "client"))
        self.tell(content, TUNESMITH_CODE=str(self.folder / "code"))

    def start(self) -> "subprocess.Popen[str]":
        """Start a pod."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TUNESMITH_", "KATIB_", "AWS_"))}
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "tunesmith", "trial"],
            cwd=disk,
            env={**kept, "XDG_CACHE_HOME": str(disk / "cache"), "TMPDIR": str(disk), **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: int = 0) -> str:
        """Run a pod to its end, which must be this exit code; returns what it printed."""
        process = self.start()
        output, errors = process.communicate(timeout=240)
        assert process.returncode == code, f"exit code {process.returncode}:\n{output}\n{errors}"
        return output + errors

    def outcome(self) -> dict[str, Any]:
        """Return what the trial left at the storage."""
        return json.loads((self.home / "outcome.json").read_text())

    def results(self) -> dict[str, float]:
        """Return what Katib takes for the trial's result."""
        return self.manager.latest(self.name)
