"""The section on the data set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.report._format import count, is_number, shape, shortened
from tunesmith.yaml_text import write_yaml

MOST_CLASSES, MOST_DROPPED, MOST_TEXT = 30, 50, 20_000
BAR = 160  # pixels of the largest class's bar


@dataclass(frozen=True)
class ClassCount:
    """How many examples of one class each split has; `width` is its bar's."""

    name: str
    counts: tuple[str, ...]
    width: int


def describe_data(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template shows of `dataset.json`."""
    statistics = _mapping(dataset.get("statistics"))
    by_split = {split: found for split, found in _mapping(statistics.get("classes")).items() if isinstance(found, Mapping)}
    names = list(dict.fromkeys(name for found in by_split.values() for name in found))
    dropped = [(name, shortened(reason, 200)) for name, reason in _mapping(statistics.get("dropped")).items()]
    return {
        "facts": _facts(dataset),
        "warnings": [str(warning) for warning in statistics.get("warnings") or ()],
        **{"splits": list(by_split), "classes": _class_counts(by_split, names)},
        "classes_left_out": max(0, len(names) - MOST_CLASSES),
        "dropped": dropped[:MOST_DROPPED],
        "statistics": shortened(write_yaml(dict(statistics)), MOST_TEXT) if statistics else "",
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _facts(dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("source", str(dataset.get("source") or "")),
        ("kind", ", ".join(str(dataset[key]) for key in ("kind", "task") if dataset.get(key))),
        ("target", str(dataset.get("target") or "")),
        ("one example", shape(dataset.get("input_shape"))),
        ("classes", shortened(", ".join(map(str, dataset.get("classes") or ())), 300)),
        *((f"{split} examples", count(amount)) for split, amount in _mapping(dataset.get("sizes")).items()),
        ("fingerprint", shortened(dataset.get("fingerprint") or "", 17)),
    ]
    return [(name, value) for name, value in rows if value]


def _class_counts(by_split: Mapping[str, Mapping[str, Any]], names: list[str]) -> list[ClassCount]:
    totals = {name: sum(found[name] for found in by_split.values() if is_number(found.get(name))) for name in names}
    largest = max(totals.values(), default=0) or 1
    return [
        ClassCount(name, tuple(count(found.get(name, 0)) for found in by_split.values()), round(BAR * totals[name] / largest))
        for name in names[:MOST_CLASSES]
    ]
