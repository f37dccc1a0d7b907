"""What a search learns from earlier studies as one of its experiment's settings, packed: Katib keeps every setting twice."""

import json
import math
from collections.abc import Iterable
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.packed_text import pack, unpack
from tunesmith.spaces._distributions import Value
from tunesmith.study import EarlierStudy


def write_studies(studies: Iterable[EarlierStudy]) -> str:
    """Return the studies as a JSON list of texts."""
    return json.dumps([pack(_columns(study)) for study in studies], separators=(",", ":"))


def read_studies(texts: list[Any]) -> tuple[EarlierStudy, ...]:
    """Return the studies that were written; raises SpecError for anything else."""
    return tuple(_read(str(text)) for text in texts)


def _columns(study: EarlierStudy) -> list[Any]:
    """Return name, losses, the parameters' names, and per parameter the places of the candidates that have it and its values.

    Values of one parameter are alike, so that they pack well side by side.
    """
    names = sorted({name for candidate in study.candidates for name in candidate})
    places = {name: [i for i, candidate in enumerate(study.candidates) if name in candidate] for name in names}
    columns = [[places[name], [study.candidates[i][name] for i in places[name]]] for name in names]
    everyone = list(range(len(study.candidates)))
    short = [[None if where == everyone else where, values] for where, values in columns]
    return [study.name, list(study.losses), names, short]


def _read(text: str) -> EarlierStudy:
    try:
        name, losses, names, columns = unpack(text)
        found = tuple(float(loss) for loss in losses)
        candidates: list[dict[str, Value]] = [{} for _ in found]
        for parameter, (places, values) in zip(names, columns, strict=True):
            for place, value in zip(range(len(found)) if places is None else places, values, strict=True):
                candidates[place][str(parameter)] = value
        well_formed = all(math.isfinite(loss) for loss in found) and _are_values(candidates)
    except (TypeError, ValueError, IndexError):
        well_formed, name, found, candidates = False, "", (), []
    if not well_formed:
        raise SpecError(f"algorithmSettings.studies: got {text[:80]!r}; needs what Tunesmith made of an earlier study")
    return EarlierStudy(str(name), tuple(candidates), found)


def _are_values(candidates: Iterable[dict[str, Value]]) -> bool:
    return all(isinstance(value, Value) for candidate in candidates for value in candidate.values())
