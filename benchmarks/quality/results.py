"""The results' file: finished cells are kept, so that a run that was cut short goes on, and another adds to it."""

import json
import math
import os
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from quality.baseline import Yardstick
from quality.cells import Cell, Key, from_json

PAUSE = 5.0  # seconds between two writes


class Results:
    """Cells and yardsticks, in memory and, where a file is named, on disk."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.written = 0.0
        content = json.loads(file.read_text()) if file and file.exists() else {}
        self.cells = {cell.key: cell for cell in map(from_json, content.get("cells", []))}
        self.yardsticks = {name: _yardstick(form) for name, form in content.get("yardsticks", {}).items()}
        self.summary: dict[str, Any] = content.get("summary", {})

    def forget(self, searchers: Iterable[str]) -> None:
        """Drop the cells of searchers that are to be run anew."""
        gone = set(searchers)
        self.cells = {key: cell for key, cell in self.cells.items() if cell.searcher not in gone}

    def has(self, key: Key, trials: int) -> bool:
        """Tell whether a cell is there, of at least so many trials."""
        return key in self.cells and len(self.cells[key].curve) >= trials

    def add(self, cell: Cell) -> None:
        """Keep a cell; the file is written now and then."""
        self.cells[cell.key] = cell
        if time.monotonic() - self.written > PAUSE:
            self.write()

    def write(self) -> None:
        """Write the file, in one piece."""
        self.written = time.monotonic()
        if self.file is None:
            return
        content = {
            "title": "Search quality",
            "summary": _finite(self.summary),
            "yardsticks": {name: asdict(yardstick) for name, yardstick in self.yardsticks.items()},
            "cells": [cell.to_json() for cell in self.cells.values()],
        }
        aside = self.file.with_name(f".{self.file.name}.part")
        aside.write_text(json.dumps(content) + "\n")
        os.replace(aside, self.file)


def _yardstick(form: dict[str, Any]) -> Yardstick:
    return Yardstick(form["best"], {int(budget): value for budget, value in form["medians"].items()}, form["worst"])


def _finite(content: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(content, dict):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
