"""The learning curves of a search's trials, from Katib's database, and the stop rules that follow from them."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tunesmith.katib.plan import Plan
from tunesmith.katib.study_view import Listed
from tunesmith.schedulers._scheduler import StopRule
from tunesmith.study import State, Trial

LOG = logging.getLogger(__name__)
# Of the newest trials so many curves are remembered, and so many make a rule.
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


def with_rule(listed: Sequence[Listed], plan: Plan, curves: Curves | None) -> tuple[list[Trial], StopRule]:
    """Return the trials, those that their rule ended as stopped, and the rule for the next ones.

    A trial that stops itself has succeeded for Katib; its curve tells.
    """
    if plan.scheduler is None or curves is None:
        return [item.trial for item in listed], StopRule()
    newest = [item.name for item in reversed(listed) if item.trial.state is State.FINISHED]
    known = curves.of(newest, plan.objective.metric)
    trials, others = [], {}
    for item in listed:
        trial = item.trial
        losses = [plan.objective.loss(value) for value in known.get(item.name, ())]
        if losses and item.rule and StopRule.decode(item.rule).ended(losses):
            trial = replace(trial, state=State.STOPPED)
        elif losses:
            others[trial.number] = losses
        trials.append(trial)
    recent = {number: others[number] for number in sorted(others)[-MOST_OTHERS:]}
    steps = plan.steps or max(map(len, recent.values()), default=0)
    return trials, plan.scheduler.rule(recent, min(steps, MOST_STEPS))
