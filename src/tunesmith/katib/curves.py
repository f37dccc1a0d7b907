"""The learning curves of a search's trials, from Katib's database, and the stop rules that follow from them."""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tunesmith.katib.plan import Plan
from tunesmith.katib.study_view import Listed
from tunesmith.schedulers._scheduler import Curve, Scheduler, StopRule
from tunesmith.study import State, Trial

LOG = logging.getLogger(__name__)
# Of the newest trials so many curves are remembered; so many of finished ones make a rule, and as many of stopped ones.
MOST_CURVES = 1000
MOST_OTHERS = 100
MOST_STEPS = 500
# Seconds that an answer waits for curves; what comes later is there for the next one.
PATIENCE = 0.5
# Seconds for which a database that does not answer is left alone.
PAUSE = 20.0

Fetch = Callable[[str, str], Sequence[float]]


class Curves:
    """Remembers curves, which change no more once a trial has ended; `fetch` returns one by trial name and metric.

    An answer waits for them for at most `seconds`; a database that does not answer is left alone for `pause` seconds.
    """

    def __init__(self, fetch: Fetch, seconds: float = PATIENCE, pause: float = PAUSE) -> None:
        self._fetch, self._seconds, self._pause = fetch, seconds, pause
        self._not_before = -math.inf
        self._known: dict[str, list[float]] = {}
        self._under_way: threading.Thread | None = None
        self._complained = False

    def of(self, names: Sequence[str], metric: str) -> dict[str, list[float]]:
        """Return the curves of ended trials, the newest first, by name; those that cannot be had in time are left out."""
        wanted = names[:MOST_CURVES]
        missing = [name for name in wanted if name not in self._known]
        busy = self._under_way is not None and self._under_way.is_alive()
        if missing and not busy and time.monotonic() >= self._not_before:
            self._under_way = threading.Thread(target=self._fetch_all, args=(missing, metric), name="curves", daemon=True)
            self._under_way.start()
            self._under_way.join(self._seconds)
        found = {name: self._known[name] for name in wanted if name in self._known}
        if len(self._known) > MOST_CURVES:
            self._known = found
        return found

    def _fetch_all(self, names: Sequence[str], metric: str) -> None:
        known = self._known
        for name in names:
            try:
                known[name] = list(self._fetch(name, metric))[:MOST_STEPS]
            except Exception as error:
                # Whatever it is, a search goes on without stop rules.
                if not self._complained:
                    LOG.warning("no stop rules for now, the curves of trials cannot be read: %s", error)
                self._complained = True
                self._not_before = time.monotonic() + self._pause
                return
        self._complained = False


RuleOf = Callable[[int], StopRule]


def with_rule(listed: Sequence[Listed], plan: Plan, curves: Curves | None) -> tuple[list[Trial], RuleOf]:
    """Return the trials, those that their rule ended as stopped, and what makes the rule of a next one from its number.

    A trial that stops itself has succeeded for Katib; its curve tells.
    """
    if plan.scheduler is None or curves is None:
        return [item.trial for item in listed], lambda _: StopRule()
    newest = [item.name for item in reversed(listed) if item.trial.state is State.FINISHED]
    known = curves.of(newest, plan.objective.metric)
    trials, others = [], {}
    for item in listed:
        trial = item.trial
        losses = [plan.objective.loss(value) for value in known.get(item.name, ())]
        if losses and item.rule and StopRule.decode(item.rule).ended(losses):
            trial = replace(trial, state=State.STOPPED)
        if losses:
            others[trial.number] = Curve(losses, trial.state is State.FINISHED)
        trials.append(trial)
    return trials, _rules(plan.scheduler, _recent(others), plan.steps)


def _recent(others: Mapping[int, Curve]) -> dict[int, Curve]:
    """Return the newest curves, of finished and of stopped trials as many of each."""
    kinds = [[number for number in sorted(others) if others[number].finished is kind] for kind in (True, False)]
    return {number: others[number] for kind in kinds for number in kind[-MOST_OTHERS:]}


def _rules(scheduler: Scheduler, others: Mapping[int, Curve], steps: int | None) -> RuleOf:
    known = steps or max((len(other.losses) for other in others.values()), default=0)
    return lambda number: scheduler.rule(number, others, min(known, MOST_STEPS))
