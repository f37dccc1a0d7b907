"""The few shapes that the report's charts are made of: scales, axes, text; colours are classes of style.css."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median
from typing import TypeVar

from tunesmith.report._format import number

T = TypeVar("T")

LOG_FROM = 50  # a positive range that spans more than this factor is drawn on a logarithmic axis ...
LOG_BELOW = 0.25  # ... where half of the values would lie in this share of a linear one
# Numbers with room for a margin, and for sums.
LARGEST = 1e300
LOG_LARGEST = math.log(LARGEST)


@dataclass(frozen=True)
class Scale:
    """Maps low..high onto start..end in pixels; what lies beyond is drawn at the border."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return round(self.start + (self.end - self.start) * ((at - low) / (high - low) if high > low else 0.5), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Return about `most` round values, at least one, in order."""
        if self.high <= self.low:
            return [self.low]
        found = self._log_ticks(most) if self.log else []
        return found if len(found) >= 2 else self._linear_ticks(most)

    def _linear_ticks(self, most: int) -> list[float]:
        raw = (self.high - self.low) / most
        power = 10 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
        step = max(1.0, step) if self.whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return sorted({float(f"{i * step:.15g}") for i in range(first, last + 1)}) or [self.low]

    def _log_ticks(self, most: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        factors = (1, 2, 5) if last - first <= 2 else (1,)
        stride = 1 if last - first <= most else math.ceil((last - first) / most)
        grid = [factor * 10.0**power for power in range(first, last + 1, stride) for factor in factors]
        return [tick for tick in grid if self.low * 0.999 <= tick <= self.high * 1.001]


def scale(values: Sequence[float], start: float, end: float, log: bool | None = None, pad: float = 0.05) -> Scale:
    """Return a scale over finite values with a margin; `log` None decides by their range.

    What is beyond LARGEST, or of a logarithmic scale below its inverse, lies at the border.
    """
    values = [min(max(value, -LARGEST), LARGEST) for value in values]
    low, high = min(values, default=0.0), max(values, default=1.0)
    by_range = low > 0 and high > low and math.log(high / LOG_FROM) >= math.log(low)
    if by_range and log is None:
        by_range = (median(values) - low) / (high - low) < LOG_BELOW
    if by_range if log is None else log:
        first, last = (max(math.log(value), -LOG_LARGEST) for value in (low, high))
        margin = pad * (last - first)
        ends = max(first - margin, -LOG_LARGEST), min(last + margin, LOG_LARGEST)
        return Scale(math.exp(ends[0]), math.exp(ends[1]), start, end, log=True)
    margin = (high - low) * pad or abs(high) * pad or 0.5
    return Scale(low - margin, high + margin, start, end)


def typical(values: Sequence[float], minimize: bool) -> list[float]:
    """Return the values without the far tail on the bad side, which would squeeze all others into one line."""
    ordered = sorted(values if minimize else [-value for value in values])
    if len(ordered) >= 5:
        best, common = ordered[0], ordered[math.ceil(0.85 * len(ordered)) - 1]
        limit = common + 1.5 * (common - best)
        ordered = [value for value in ordered if value <= limit]
    return ordered if minimize else [-value for value in ordered]


def text(x: float, y: float, content: object, classes: str = "", anchor: str = "start") -> str:
    """Return escaped text."""
    attributes = f' class="{classes}"' if classes else ""
    attributes += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(str(content))}</text>'


def line(points: Sequence[tuple[float, float]], classes: str) -> str:
    """Return a line through points in pixels."""
    return f'<path class="{classes}" d="M{" ".join(f"{x:g},{y:g}" for x, y in points)}"/>'


def dots(points: Sequence[tuple[float, float]], classes: str) -> str:
    """Return many dots as one path of zero-length strokes with round caps, a tenth of the size of circles."""
    return f'<path class="dots {classes}" d="{"".join(f"M{x:g},{y:g}h0" for x, y in points)}"/>' if points else ""


def circle(x: float, y: float, radius: float, classes: str, title: str) -> str:
    """Return a dot with a tooltip."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="{classes}"><title>{escape(title)}</title></circle>'


def axes(x: Scale, y: Scale, ticks: tuple[int, int] = (8, 5)) -> str:
    """Return grid lines and tick labels of a plot; `ticks` is about how many (across, up)."""
    across = (text(x(tick), y.start + 17, number(tick), "tick", "middle") for tick in x.ticks(ticks[0]))
    return upright_axis(y, x.start, x.end, ticks[1]) + "".join(across)


def upright_axis(y: Scale, left: float, right: float, ticks: int) -> str:
    """Return the upright axis with its grid, and the base line."""
    parts = []
    for tick in y.ticks(ticks):
        parts.append(line([(left, y(tick)), (right, y(tick))], "grid"))
        parts.append(text(left - 8, y(tick) + 4, number(tick), "tick", "end"))
    return "".join([*parts, line([(left, y.start), (right, y.start)], "axis")])


def drawing(width: float, height: float, label: str, body: str, classes: str = "chart") -> str:
    """Return a whole SVG with `label` for those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" width="{width:g}" viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-label="{escape(label)}">{body}</svg>'
    )


def thinned(items: Sequence[T], most: int) -> Sequence[T]:
    """Return at most `most` items, evenly picked, first and last among them."""
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]
