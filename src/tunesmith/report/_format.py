"""Numbers, durations and the like as a reader wants them; anything unexpected is shown as it is, never an error."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeGuard

SHARES = ("accuracy", "precision", "recall", "f1", "macro_f1")


def number(value: object) -> str:
    """Return four significant digits of a float, whole numbers in full, all else as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "none" if value is None else str(value)
    if isinstance(value, int):
        return count(value)
    if not math.isfinite(value):
        return str(value)
    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def count(value: object) -> str:
    """Return a whole number with its thousands set apart, millions and more in short."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "" if value is None else str(value)
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g} M" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.0f}"


def figure(metric: str, value: object) -> str:
    """Return a metric's value, shares such as an accuracy as per cent."""
    if metric in SHARES and is_number(value):
        return f"{100 * value:.2f} %"
    return number(value)


def interval(metric: str, bounds: object) -> str:
    """Return `low to high` of a confidence interval, nothing where there is none."""
    if not isinstance(bounds, list | tuple) or len(bounds) != 2 or not all(map(is_number, bounds)):
        return ""
    return f"{figure(metric, bounds[0]).removesuffix(' %')} to {figure(metric, bounds[1])}"


def duration(seconds: object) -> str:
    """Return seconds as `40 ms`, `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if not is_number(seconds):
        return ""
    exact = float(seconds)
    if 0 < exact < 0.1:
        return f"{max(1, round(1000 * exact))} ms"
    if exact < 9.95:
        return f"{exact:.1f} s"
    whole = round(exact)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(value: object) -> str:
    """Return bytes as B, KiB, MiB or GiB."""
    if not is_number(value):
        return ""
    amount = float(value)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def milliseconds(latency: object) -> str:
    """Return the median of a latency in milliseconds."""
    median = latency.get("median_ms") if isinstance(latency, Mapping) else latency
    return f"{median:.2f} ms" if is_number(median) else ""


def shape(value: object) -> str:
    """Return a shape as `28×28×1`, the size of the batch left out."""
    if isinstance(value, list | tuple):
        return "×".join("?" if part is None else str(part) for part in (value[1:] if value and value[0] is None else value))
    return "" if value is None else str(value)


def numbers(trials: Iterable[int], most: int = 12) -> str:
    """Return trial numbers with their runs joined: `3, 7–9, 12`, at most `most` parts."""
    runs: list[list[int]] = []
    for trial in sorted(trials):
        if runs and trial == runs[-1][1] + 1:
            runs[-1][1] = trial
        else:
            runs.append([trial, trial])
    shown = [str(first) if first == last else f"{first}–{last}" for first, last in runs[:most]]
    rest = sum(last - first + 1 for first, last in runs[most:])
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def shortened(text: object, most: int) -> str:
    """Return at most `most` characters of a text, the cut marked."""
    whole = str(text)
    return whole if len(whole) <= most else whole[: max(most - 1, 1)].rstrip() + "…"


def told_apart(texts: Sequence[object], most: int) -> list[str]:
    """Return at most `most` characters of each text; where beginnings alone are the same, ends are kept, too."""
    cut = [shortened(text, most) for text in texts]
    if len(set(cut)) == len(cut) or most < 4:
        return cut
    end = (most + 1) // 2
    return [whole if len(whole) <= most else f"{whole[: most - 1 - end]}…{whole[-end:]}" for whole in map(str, texts)]


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
