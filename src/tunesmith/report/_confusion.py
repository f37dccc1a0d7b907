"""The confusion matrix as a heat map, and the ROC curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tunesmith.report._format import is_number, shortened
from tunesmith.report._svg import Scale, axes, drawing, line, text

MOST_CLASSES, MOST_PAIRS = 20, 20
LABEL = 12  # characters of a class name that fit beside the map


@dataclass(frozen=True)
class Mistake:
    """How many examples of one class were taken for another; `share` is of all examples of the true class."""

    truth: str
    taken_for: str
    count: int
    share: float


def class_names(evaluation: Mapping[str, Any]) -> list[str]:
    """Return the names of the classes in the matrix's order."""
    classes = evaluation.get("classes") or []
    return [str(entry.get("name", "")) if isinstance(entry, Mapping) else str(entry) for entry in classes]


def read_matrix(evaluation: Mapping[str, Any]) -> list[list[int]]:
    """Return the confusion matrix; empty where it is missing or not square."""
    rows = evaluation.get("confusion") or []
    square = all(isinstance(row, list | tuple) and len(row) == len(rows) and all(map(is_number, row)) for row in rows)
    return [[int(cell) for cell in row] for row in rows] if square else []


def mistakes(evaluation: Mapping[str, Any]) -> list[Mistake]:
    """Return the most frequent mistakes, at most MOST_PAIRS."""
    matrix, names = read_matrix(evaluation), class_names(evaluation)
    if len(names) != len(matrix):
        return []
    found = [
        Mistake(names[i], names[j], cell, cell / sum(row))
        for i, row in enumerate(matrix)
        for j, cell in enumerate(row)
        if i != j and cell
    ]
    return sorted(found, key=lambda mistake: -mistake.count)[:MOST_PAIRS]


def draw_confusion(evaluation: Mapping[str, Any]) -> str:
    """Return the heat map, rows the truth; nothing for more than MOST_CLASSES classes, where `mistakes` says more."""
    matrix, names = read_matrix(evaluation), class_names(evaluation)
    if not matrix or len(names) != len(matrix) or len(matrix) > MOST_CLASSES:
        return ""
    labels = [shortened(name, LABEL) for name in names]
    longest = 7 * max(map(len, labels))
    cell = 62 if len(matrix) <= 4 else 44 if len(matrix) <= 6 else 31 if len(matrix) <= 12 else 26
    upright = longest <= cell
    left, top, edge = 34 + longest, 46 if upright else 38 + 5 * longest // 7, cell * len(matrix)
    body = [text(left, 14, "taken for", "label"), _turned(12, top + edge / 2, -90, "truth", "label", "middle")]
    for i, (label, row) in enumerate(zip(labels, matrix, strict=True)):
        center = cell * (i + 0.5)
        body.append(text(left - 8, top + center + 4, label, "tick", "end"))
        body.append(
            text(left + center, top - 8, label, "tick", "middle") if upright else _turned(left + center, top - 8, -42, label)
        )
        body += [_cell(left + cell * j, top + cell * i, cell, names[i], names[j], row[j], sum(row)) for j in range(len(row))]
    return drawing(left + edge + (4 if upright else 50), top + edge + 4, "confusion matrix", "".join(body), "chart heat")


def _turned(x: float, y: float, angle: int, content: str, classes: str = "tick", anchor: str = "start") -> str:
    place = f'transform="translate({x:g},{y:g}) rotate({angle})"'
    return f'<text {place} class="{classes}" text-anchor="{anchor}">{escape(content)}</text>'


def _cell(x: float, y: float, size: float, truth: str, guess: str, amount: int, total: int) -> str:
    """Return one cell; mistakes are tinted by the root of their share, so that a few of many can be seen."""
    share = amount / total if total else 0.0
    right = truth == guess
    tint = share if right else share**0.5
    title = f"{amount} of {total} {truth!r} taken for {guess!r}"
    classes = f"{'hit' if right else 'miss'}"
    parts = [f'<rect x="{x + 1:g}" y="{y + 1:g}" width="{size - 2:g}" height="{size - 2:g}" rx="4" class="blank"/>']
    if amount:
        parts.append(parts[0].replace('class="blank"', f'class="{classes}" fill-opacity="{0.12 + 0.88 * tint:.2f}"'))
        parts.append(text(x + size / 2, y + size / 2 + 4, amount, "count strong" if tint > 0.5 else "count", "middle"))
    return f"<g><title>{escape(title)}</title>{''.join(parts)}</g>"


def draw_roc(points: Sequence[Mapping[str, Any]], area: object) -> str:
    """Return the ROC curve of two classes; nothing without points."""
    pairs = [(point.get("false_positive_rate"), point.get("true_positive_rate")) for point in points]
    curve = [(x, y) for x, y in pairs if is_number(x) and is_number(y)]
    if len(curve) < 2:
        return ""
    x, y = Scale(0, 1, 52, 308), Scale(0, 1, 276, 20)
    body = [
        axes(x, y, (5, 5)),
        line([(x(0), y(0)), (x(1), y(1))], "chance"),
        line([(x(across), y(up)) for across, up in curve], "curve s1"),
        text(308, 312, "false positive rate", "label", "end"),
        text(52, 10, "true positive rate", "label"),
        text(300, 262, f"area {area:.3f}" if is_number(area) else "", "mark", "end"),
    ]
    return drawing(320, 318, "ROC curve", "".join(body), "chart roc")
