"""The folder of one pipeline run on this machine, and which run a command goes on with.

    runs/tune-20250102-030405/   arguments.json  pipeline.log  summary.json  studies/  steps/
    runs/latest                  the newest of them

A run whose summary says that it came to its end is over. A command with the arguments of the latest run goes on with it where
it is not over: its search continues in studies/, the other steps are run again.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tunesmith.errors import StudyError
from tunesmith.files import write_json

if TYPE_CHECKING:
    from kfp.dsl.base_component import BaseComponent

OVER = ("succeeded", "gate failed")
SUFFIXES = {"system.HTML": ".html", "system.Markdown": ".md"}


@dataclass(frozen=True)
class RunFolder:
    """A run's folder, held by this process as long as it lives."""

    path: Path
    lock: IO[str]

    @classmethod
    def create(cls, path: Path, pipeline: str, arguments: Mapping[str, Any]) -> "RunFolder":
        """Make a new folder for a run, or take over the one there is, and make it `latest` beside it.

        Raises StudyError where another process runs a pipeline in it.
        """
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        if lock is None:
            raise StudyError(f"{path}: another process runs a pipeline here; wait for it, or give the same command again")
        shutil.rmtree(path / "steps", ignore_errors=True)
        (path / "summary.json").unlink(missing_ok=True)
        write_json(path / "arguments.json", {"pipeline": pipeline, "arguments": dict(arguments)})
        latest = path.parent / f".latest.{os.getpid()}"
        latest.symlink_to(path.name, target_is_directory=True)
        os.replace(latest, path.parent / "latest")
        return cls(path, lock)

    @property
    def steps(self) -> Path:
        """Where the steps' outputs go."""
        return self.path / "steps"

    def outputs(self, pipeline: "BaseComponent") -> dict[str, Path]:
        """Put the steps' outputs into the run's folder and return where each lies; of equal names the later step's counts."""
        spec: Any = pipeline.pipeline_spec
        # Steps that depend on a condition are in a part of their own.
        parts = [spec.root, *(part for part in spec.components.values() if part.HasField("dag"))]
        tasks = {name: task for part in parts for name, task in part.dag.tasks.items()}
        found = {}
        for path in sorted(self.steps.glob("*/*/*"), key=lambda path: path.lstat().st_mtime_ns):
            task = tasks.get(path.parent.name)
            made = spec.components[task.component_ref.name].output_definitions.artifacts if task else {}
            if path.name in made:
                suffix = SUFFIXES.get(made[path.name].artifact_type.schema_title, "")
                found[path.name] = _placed(self.path / f"{path.name}{suffix}", path)
        return found


def choose_folder(runs: Path, pipeline: str, arguments: Mapping[str, Any]) -> tuple[Path, bool]:
    """Return the folder for a run, and whether it is the latest run, to be gone on with."""
    latest = runs / "latest"
    wanted = {"pipeline": pipeline, "arguments": json.loads(json.dumps(arguments))}
    if _read(latest / "arguments.json") == wanted and not _over(latest) and (lock := _lock(latest)):
        lock.close()
        return latest.resolve(), True
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = [f"{pipeline}-{stamp}", *(f"{pipeline}-{stamp}-{i}" for i in range(2, 100))]
    return next(runs / name for name in names if not (runs / name).exists()).absolute(), False


def _over(folder: Path) -> bool:
    summary = _read(folder / "summary.json") or {}
    return summary.get("status") in OVER


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _lock(folder: Path) -> IO[str] | None:
    handle = (folder / ".lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _placed(place: Path, output: Path) -> Path:
    """Put an output where a person looks for it: a folder as a link, a file as a copy of its own.

    A browser follows a link to the output's name in `steps`, which has no suffix, and would show a page's source.
    """
    place.unlink(missing_ok=True)
    if output.is_dir():
        place.symlink_to(os.path.relpath(output, place.parent))
    else:
        shutil.copyfile(output, place)
    return place
