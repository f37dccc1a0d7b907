"""Asks a strategy for proposals within a time limit: one slow suggestion service holds up all experiments of a cluster."""

import ctypes
import logging
import threading
from collections import Counter
from dataclasses import dataclass

from tunesmith.errors import SpaceExhausted
from tunesmith.katib.plan import Plan
from tunesmith.ranking import ranking
from tunesmith.spaces._space import Candidate
from tunesmith.strategies._strategy import Strategy, propose
from tunesmith.strategies.random import Random
from tunesmith.study import StudyView

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """As many candidates as were asked for; the last `substitutes` of them are not the strategy's, and `why`."""

    candidates: list[Candidate]
    substitutes: int = 0
    why: str = ""


class Proposer:
    """Lets strategies compute for at most `seconds`, or each for its own `patience`; what is late is drawn at random."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._abandoned: _Attempt | None = None

    def answer(self, plan: Plan, study: StudyView, count: int) -> Answer:
        """Return `count` candidates; raises SpaceExhausted where the space has too few and the plan repeats none."""
        candidates, why = self._ask(plan, study, count)
        for candidate in candidates:
            study = study.with_running(candidate)
        missing = count - len(candidates)
        if not missing:
            return Answer(candidates)
        LOG.warning("%s of %s proposals are not the strategy's: %s", missing, count, why)
        return Answer([*candidates, *_substitutes(plan, study, missing)], missing, why)

    def _ask(self, plan: Plan, study: StudyView, count: int) -> tuple[list[Candidate], str]:
        """Return what the strategy answers in time, and why that may be less than was asked for."""
        if self._abandoned and self._abandoned.is_alive():
            # It cannot be ended before it comes back from a library's code; a second one would only slow both.
            return [], "the strategy is still busy with an earlier answer"
        attempt, seconds = _Attempt(plan.strategy, study, count), self.seconds or plan.strategy.patience
        attempt.start()
        attempt.join(seconds)
        candidates = list(attempt.candidates)[:count]
        if len(candidates) == count:
            return candidates, ""
        if attempt.is_alive():
            self._abandoned = attempt
            attempt.interrupt()
            return candidates, f"the strategy took longer than {seconds:g} s"
        if isinstance(attempt.error, SpaceExhausted):
            if not plan.repeats:
                raise attempt.error
            return candidates, str(attempt.error)
        LOG.error("the strategy failed", exc_info=attempt.error)
        return candidates, f"the strategy failed: {attempt.error}"


class _Interrupted(BaseException):
    """Raised in a thread whose answer nobody waits for any more."""


class _Attempt(threading.Thread):
    """One answer of a strategy, computed proposal by proposal; `error` is what ended it before its time."""

    def __init__(self, strategy: Strategy, study: StudyView, count: int) -> None:
        super().__init__(name="proposals", daemon=True)
        self.strategy, self.study, self.count = strategy, study, count
        self.candidates: list[Candidate] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        study = self.study
        try:
            while len(self.candidates) < self.count:
                (proposal,) = propose(self.strategy, study, 1)
                study = study.with_running(proposal.candidate)
                self.candidates.append(proposal.candidate)
        except BaseException as error:
            self.error = error

    def interrupt(self) -> None:
        """End the thread as soon as it is in Python's code."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident or 0), ctypes.py_object(_Interrupted))


def _substitutes(plan: Plan, study: StudyView, count: int) -> list[Candidate]:
    try:
        return [proposal.candidate for proposal in Random().propose(study, count)]
    except SpaceExhausted:
        if not plan.repeats:
            raise
        return _repeated(study, count)


def _repeated(study: StudyView, count: int) -> list[Candidate]:
    """Return candidates that were tried least often, the best first: one more measurement of those tells most.

    Katib has no word for a space that has no more candidates: without an answer it would ask for ever.
    """
    best_first: dict[str, Candidate] = {}
    for trial in ranking(study.trials, study.aims):
        best_first.setdefault(trial.key, trial.candidate)
    tries = Counter(trial.key for trial in study.trials)
    chosen = []
    for _ in range(count):
        key = min(best_first, key=lambda key: tries[key])
        tries[key] += 1
        chosen.append(best_first[key])
    return chosen
