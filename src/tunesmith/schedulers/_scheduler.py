"""The scheduler seam: decides during a trial whether it goes on, or says beforehand what will decide it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from functools import cached_property
from itertools import accumulate, chain, repeat
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.packed_text import pack, unpack
from tunesmith.registry import build

# What of a rule travels: thousands of trials' rules share one object of at most 1.5 MiB.
MOST_TRAVELLING = 32
DIGITS = 5


@dataclass(frozen=True)
class StopRule:
    """What ends a trial that nobody watches.

    thresholds: for each step the loss above which the trial's best loss so far ends it, None where nothing does; steps
    beyond the last have the last one's.
    """

    thresholds: tuple[float | None, ...] = ()

    def verdict(self, losses: Sequence[float]) -> str:
        """Return why the trial should stop now, or an empty text; `losses` are its own, one per step so far."""
        if not losses or not self.thresholds:
            return ""
        step, best = len(losses), Curve(losses).best(len(losses))
        bar = self.thresholds[min(step, len(self.thresholds)) - 1]
        return _reason(best, step, bar) if bar is not None and best > bar else ""

    def ended(self, losses: Iterable[float]) -> bool:
        """Tell whether the rule ended a trial, whose losses at all steps these are."""
        bars = chain(self.thresholds, repeat(self.thresholds[-1] if self.thresholds else None))
        bests = accumulate((math.inf if math.isnan(loss) else loss for loss in losses), min)
        return any(bar is not None and best > bar for best, bar in zip(bests, bars, strict=False))

    def encode(self) -> str:
        """Return the rule as a short text of letters, digits, '-' and '_'.

        Thresholds are rounded up, and of many only some are kept: such a rule may stop a trial later, never wrongly.
        """
        return pack(self._thinned())

    @classmethod
    def decode(cls, text: str) -> "StopRule":
        """Return the rule that `encode` wrote; raises SpecError for any other text."""
        try:
            content = unpack(text)
        except ValueError:
            content = None
        if not isinstance(content, list) or not all(item is None or _is_number(item) for item in content):
            raise SpecError(f"stop_rule: got {text[:80]!r}; needs what StopRule.encode wrote")
        return cls(tuple(None if item is None else float(item) for item in content))

    def _thinned(self) -> list[float | None]:
        """Return the thresholds with only some of many left: always the last, which holds on."""
        telling = [at for at, bar in enumerate(self.thresholds) if bar is not None]
        kept = set(telling[:: -math.ceil(len(telling) / MOST_TRAVELLING)] if telling else ())
        return [_rounded_up(bar) if at in kept else None for at, bar in enumerate(self.thresholds)]


def _rounded_up(bar: float | None) -> float | None:
    return None if bar is None else float(Context(prec=DIGITS, rounding=ROUND_CEILING).create_decimal(repr(bar)))


def _is_number(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool) and math.isfinite(item)


@dataclass(frozen=True)
class Curve:
    """Another trial's losses, one per step so far, smaller is better; `finished` once it has run to its end by itself."""

    losses: Sequence[float]
    finished: bool = True

    def best(self, step: int) -> float:
        """Return the best loss of the first `step` steps, from 1, infinity where there is none."""
        return self._bests[min(step, len(self.losses)) - 1] if self.losses else math.inf

    @cached_property
    def _bests(self) -> list[float]:
        return list(accumulate((math.inf if math.isnan(loss) else loss for loss in self.losses), min))


Curves = Mapping[int, Curve]


class Scheduler(ABC):
    """Ends trials early. A subclass is a frozen dataclass whose fields are its settings.

    It remembers nothing: what it says follows from the trial's number, its losses and the other trials' curves by number,
    those of running and stopped ones among them.
    """

    @abstractmethod
    def bar(self, number: int, step: int, others: Curves) -> float | None:
        """Return the loss above which the best of trial `number` so far ends it after `step` steps, None where nothing does."""

    @property
    def watches(self) -> str:
        """What keeps its verdicts from being told beforehand, as a rule; an empty text where nothing does."""
        return ""

    def verdict(self, number: int, losses: Sequence[float], others: Curves) -> str:
        """Return why trial `number` should stop now, or an empty text; `losses` are its own, one per step so far."""
        bar = self.bar(number, len(losses), others) if losses else None
        best = Curve(losses).best(len(losses))
        return _reason(best, len(losses), bar) if bar is not None and best > bar else ""

    def rule(self, number: int, others: Curves, steps: int) -> StopRule:
        """Return what `verdict` will say to a trial of at most `steps` steps, were the others to stay as they are."""
        bars = tuple(self.bar(number, step, others) for step in range(1, steps + 1))
        return StopRule(bars if any(bar is not None for bar in bars) else ())


def longest(others: Curves) -> int:
    """Return the steps of the longest trial that ran to its end, 0 while there is none."""
    return max((len(other.losses) for other in others.values() if other.finished), default=0)


def _reason(best: float, step: int, bar: float) -> str:
    return f"best loss {best:.4g} after {step} steps, the bar is {bar:.4g}"


def check_rules(scheduler: Scheduler | None) -> None:
    """Raise SpecError for a scheduler that must watch a trial: on Katib only rules that are made beforehand stop one."""
    if scheduler and scheduler.watches:
        raise SpecError(
            f"scheduler.{scheduler.watches}; on Katib nobody watches a trial, and what stops it is told beforehand; "
            "leave it out there, or search with the engine local"
        )


def read_scheduler(section: Mapping[str, Any] | None) -> Scheduler | None:
    """Return the scheduler of a search file's section, None where there is none; raises SpecError."""
    if section is None:
        return None
    settings = dict(section)
    return build("tunesmith.schedulers", settings.pop("name", ""), Scheduler, settings, "scheduler")
