"""Reads when a schedule is to fire: `0 3 * * 1` as cron has it, or `7d`."""

import re
from dataclasses import dataclass

from tunesmith.errors import SpecError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SHORTEST = 60
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True)
class Field:
    """One field of a cron expression: what it counts, its range, and names for its numbers, counted from the lowest."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def check(self, text: str) -> str:
        """Return the field as Kubeflow reads it; raises ValueError saying what is wrong."""
        return ",".join(self._part(part) for part in text.split(","))

    def _part(self, text: str) -> str:
        match = re.fullmatch(r"(\*|\?|\w+(?:-\w+)?)(?:/(\d+))?", text)
        if not match:
            raise ValueError(f"{text!r} is none of 5, 1-5, */15, or a list of such")
        if match[2] is not None and int(match[2]) < 1:
            raise ValueError(f"the step in {text!r} must be at least 1")
        step = f"/{match[2]}" if match[2] else ""
        if match[1] in ("*", "?"):
            return match[1] + step
        numbers = [self._number(word) for word in match[1].split("-")]
        if len(numbers) == 2 and numbers[0] > numbers[1]:
            raise ValueError(f"the range {match[1]} runs backwards")
        return "-".join(map(str, numbers)) + step

    def _number(self, word: str) -> int:
        if word.lower() in self.names:
            return self.low + self.names.index(word.lower())
        if not word.isdigit() or not self.low <= int(word) <= self.high:
            raise ValueError(f"{word!r} is no {self.name}; allowed: {self.low} to {self.high}")
        return int(word)


FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS),
)


def read_cron(text: str) -> str:
    """Return a cron expression of five fields, or of six with seconds first, as Kubeflow takes it: six fields.

    Raises SpecError naming the field that is wrong.
    """
    parts = text.split()
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise SpecError(f"cron: got {text!r}; needs five fields (minute hour day month weekday), such as '0 3 * * 1'")
    # Kubeflow's parser knows Sunday as 0 only.
    parts[5] = re.sub(r"(?<![\d/-])7(?![\d/-])", "0", parts[5])
    try:
        return " ".join(field.check(part) for field, part in zip(FIELDS, parts, strict=True))
    except ValueError as error:
        raise SpecError(f"cron: got {text!r}: {error}") from None


def read_duration(text: str, where: str) -> int:
    """Return the seconds of `90m`, `12h`, `7d` or `2w`; raises SpecError for anything else and for less than a minute."""
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    seconds = int(match[1]) * SECONDS[match[2]] if match else 0
    if seconds < SHORTEST:
        raise SpecError(f"{where}: got {text!r}; needs a time from 1m, such as 90m, 12h, 7d or 2w")
    return seconds
