"""What the benchmarks share: repeated measurements, a table of them, the same as JSON."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Measurement:
    """One figure, measured at least once."""

    name: str
    unit: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle of all values."""
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        """Least and greatest value; empty where there is only one."""
        return f"{min(self.values):.4g} - {max(self.values):.4g}" if len(self.values) > 1 else ""


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the option that all benchmarks have."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("--json", type=Path, metavar="FILE", help="also write every value to FILE")
    return made


def show(title: str, measurements: Iterable[Measurement], settings: dict[str, Any], file: Path | None) -> None:
    """Print the measurements as a table, and write them as JSON where a file is given."""
    measurements = list(measurements)
    table = Table(title=title, title_justify="left", caption=f"{machine()}; {_words(settings)}", caption_justify="left")
    for heading in ("", "median", "unit", "spread", "runs"):
        table.add_column(heading, justify="left" if heading in ("", "unit") else "right")
    for item in measurements:
        table.add_row(item.name, f"{item.median:.4g}", item.unit, item.spread, str(len(item.values)))
    Console(width=128).print(table)
    if file:
        figures = {item.name: {"unit": item.unit, "median": item.median, "values": list(item.values)} for item in measurements}
        content = {"title": title, "machine": machine(), "settings": settings, "figures": figures}
        file.write_text(json.dumps(content, indent=2) + "\n")


def machine() -> str:
    """Return what of the machine decides the figures."""
    return f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, tunesmith {version('tunesmith')}"


def _words(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
