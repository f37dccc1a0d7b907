"""Renders a short report as Markdown, for places that show nothing else."""

import re

from tunesmith.report._advice import describe_advice
from tunesmith.report._foresight import foresight_line
from tunesmith.report._format import numbers
from tunesmith.report._tables import figures_table, leaderboard, reasons
from tunesmith.report._tiles import subtitle, tiles
from tunesmith.report.content import ReportContent

TOP = 10


def render_markdown(content: ReportContent) -> str:
    """Return figures, leaderboard and reasons of failures; all text of the user's is escaped."""
    parts = [f"# {_escaped(content.title)}", _escaped(subtitle(content)), *_strategy(content)]
    parts += [_figures(content), _leaderboard(content), _escaped(foresight_line(content.foresight))]
    return "\n\n".join(part for part in (*parts, _advice(content), _failures(content)) if part) + "\n"


def _strategy(content: ReportContent) -> list[str]:
    return [_escaped(f"Proposed from trial {number} on by {text}.") for number, text in content.strategy]


def _figures(content: ReportContent) -> str:
    rows = [(tile.name, tile.figure, tile.note) for tile in tiles(content)]
    named = {name.removeprefix("test ") for name, _, _ in rows}
    if content.evaluation:
        more = figures_table({"metrics": content.evaluation.get("metrics")})
        rows += [(f"test {name}", value, "") for name, value, _ in more if name not in named]
    return _table(["figure", "value", ""], rows)


def _leaderboard(content: ReportContent) -> str:
    board = leaderboard(content)
    rows = [
        (row.rank, str(row.trial), row.value, *row.further, *row.cells, row.seconds, row.state) for row in board.shown[:TOP]
    ]
    if not rows:
        return "No trials yet."
    head = ["rank", "trial", content.objective.metric, *board.metrics, *board.parameters, "time", "state"]
    more = len(content.trials) - len(rows)
    return "## Leaderboard\n\n" + _table(head, rows) + (f"\n\nand {more} more trials" if more else "") + _front(content)


def _front(content: ReportContent) -> str:
    if not content.front:
        return ""
    told = f"\\* on the Pareto front: trials {numbers(trial.number for trial in content.front)}"
    return f"\n\n{told}; its knee is trial {content.front[0].number}"


def _advice(content: ReportContent) -> str:
    """Return the shares as a table with bars of text, then what to do, then what more trials would bring."""
    section = describe_advice(content.advice or {})
    shares = [(found.key, found.percent, found.blocks) for found in section.shares]
    moves = [(row["key"], row["action"], row["before"], row["after"], row["reason"]) for row in section.moves]
    parts = [
        *(f"{_escaped(note)}." for note in section.notes),
        _table([f"importance for {section.metrics}", "share", ""], shares) if shares else "",
        _table(["parameter", "advice", "from", "to", "why"], moves) if moves else "",
        section.verdict,
        _table(["in the next", section.better, "expected gain", "80 % interval"], section.gains) if section.gains else "",
    ]
    return "\n\n".join(["## What next", *filter(None, parts)]) if any(parts) else ""


def _failures(content: ReportContent) -> str:
    rows = [(row.state, str(row.count), row.reason, row.trials) for row in reasons(content)]
    return "## Failed and stopped trials\n\n" + _table(["state", "trials", "reason", "numbers"], rows) if rows else ""


def _table(head: list[str], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell if i == 1 else _escaped(cell) for cell in line) + " |" for i, line in enumerate(lines)
    )


def _escaped(text: str) -> str:
    """Return text on one line with everything escaped that Markdown or HTML would take for markup."""
    single = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", single)
