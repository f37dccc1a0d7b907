"""Writes the next search file: the study's, its space narrowed or widened as advised, and started from the study."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.advice._keys import REWRITABLE
from tunesmith.advice._moves import Move
from tunesmith.advice.advise import Advice, advise_on
from tunesmith.errors import SpecError, StudyError
from tunesmith.record import Record
from tunesmith.sections import EarlierSpec, SearchFile
from tunesmith.spaces._space import Space
from tunesmith.study import Trial
from tunesmith.yaml_text import write_yaml

PYTHON = "The function was searched from Python: name it here as file.py:function, or give this space to tunesmith.minimize."


def refined(folder: Path, target: Path, metric: str | None = None) -> str:
    """Return the search file that goes on from the study in `folder`, its reasons as comments, for a file in `target`.

    Paths of the study's file are kept where they lead somewhere from `target`; those that lead somewhere from the working
    directory are written anew. Raises StudyError where there is no study or nothing is advised, SpecError for a space of the
    user's code, which only the user can rewrite, and where the packages that judge parameters are not installed.
    """
    with Record.read(folder) as record:
        content, trials = record.content, record.trials()
    kind = content["space"]["kind"]
    if kind not in REWRITABLE:
        raise SpecError(
            f"space refine: a space of kind {kind!r} is rewritten in its own function; `tunesmith study advice {folder}` "
            f"tells the ranges. Allowed: {', '.join(REWRITABLE)}"
        )
    advice = advise_on(content, trials, metric)
    if advice.space is None:
        why = "; ".join(advice.notes) or "every parameter is to be kept as it is"
        raise StudyError(f"{folder}: there is nothing to refine: {why}")
    study = str(folder) if folder.is_absolute() else os.path.relpath(folder, target)
    earlier = EarlierSpec(study=study, unimportant=_unimportant(advice, trials)).model_dump()
    return _text(_relocated(_without_defaults(content), target) | {"warm_start": [earlier]}, folder, advice, advice.space)


def _unimportant(advice: Advice, trials: Iterable[Trial]) -> list[str]:
    """Return the parameters that are fixed because they hardly mattered: trials of other values of them teach all the same."""
    keys = [move.key for move in advice.moves if move.unimportant]
    names = dict.fromkeys(name for trial in trials for name in trial.candidate)
    return [name for name in names if any(key.decides(name) for key in keys)]


def _text(sections: Mapping[str, Any], folder: Path, advice: Advice, space: Space) -> str:
    evaluation = sections.get("evaluation", {})
    return "".join(
        [
            _comment(f"Goes on from {folder}: {advice.trials} trials, the best trial {advice.best}."),
            _comment(PYTHON) if evaluation.get("function", "").startswith("python:") else "",
            write_yaml(sections),
            "\n",
            *(_comment(_line(move)) for move in advice.moves if move.action != "keep"),
            write_yaml({"space": space.to_json()}, inline=True),
        ]
    )


def _without_defaults(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections beside the space, without what need not be said; the record has every default written out."""
    file = SearchFile.model_validate({**content, "warm_start": None})
    sections = file.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude={"space"})
    # The settings of a strategy or a scheduler are its own: what it decides itself need not be said.
    named = {name: section for name, section in sections.items() if name in ("strategy", "scheduler")}
    return sections | {name: {k: v for k, v in section.items() if v is not None} for name, section in named.items()}


def _line(move: Move) -> str:
    past = {"narrow": "narrowed", "widen": "widened", "fix": "fixed", "keep": "kept"}[move.action]
    return f"{move.key.name}: {past}, was {move.key.distribution.describe()}: {move.reason}."


def _comment(text: str) -> str:
    return f"# {' '.join(text.split())}\n"


def _relocated(content: dict[str, Any], target: Path) -> dict[str, Any]:
    """Return the sections with what belongs to the old study left out, and paths that lead somewhere from `target`."""
    moved = dict(content)
    evaluation = {name: value for name, value in content.get("evaluation", {}).items() if name != "sha256"}
    if ".py:" in (evaluation.get("function") or ""):
        file, _, function = evaluation["function"].rpartition(":")
        evaluation["function"] = f"{_path(file, target)}:{function}"
    moved["evaluation"] = evaluation
    if "data" in content:
        data = {name: value for name, value in content["data"].items() if name != "fingerprint"}
        moved["data"] = {**data, "uri": _path(data["uri"], target)}
    return moved


def _path(path: str, target: Path) -> str:
    """Return a path as it is where it leads somewhere from `target` or nowhere at all, else anew."""
    if (target / path).exists() or not Path(path).exists():
        return path
    return os.path.relpath(path, target)
