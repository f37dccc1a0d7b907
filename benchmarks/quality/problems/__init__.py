"""Families of problems, one module each: `find(data, shift)` returns its problems; a new family is a new file."""

import importlib
import pkgutil
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from quality.problem import Problem


@lru_cache(maxsize=4)
def find(data: Path | None, shift: int = 0) -> dict[str, Problem]:
    """Return all problems by name: the made ones, with their optima moved by `shift`, and those of the tables in `data`."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    families = [importlib.import_module(f"{__name__}.{name}") for name in modules]
    return {problem.name: problem for family in families for problem in family.find(data, shift)}


def select(problems: dict[str, Problem], patterns: Sequence[str]) -> list[Problem]:
    """Return the problems whose names fit one of the patterns (`*` stands for anything), the usual ones where there is none."""
    if not patterns:
        return [problem for problem in problems.values() if problem.usual]
    return [problem for problem in problems.values() if any(fnmatchcase(problem.name, pattern) for pattern in patterns)]
