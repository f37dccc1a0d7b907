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
from tunesmith.study import Proposal, StudyView

LOG = logging.getLogger(__name__)
# Katib hangs up after 60 s, and its one worker for all suggestions of the cluster waits meanwhile.
MOST_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """As many proposals as were asked for; the last `substitutes` of them are not the strategy's, and `why`."""

    proposals: list[Proposal]
    substitutes: int = 0
    why: str = ""


class Proposer:
    """Lets strategies compute an answer for at most `seconds`; what is late is drawn at random.

    seconds: None: the strategy's `patience` for each proposal that is asked for, but at most MOST_SECONDS.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self._abandoned: _Attempt | None = None

    def answer(self, plan: Plan, study: StudyView, count: int) -> Answer:
        """Return `count` proposals; raises SpaceExhausted where the space has too few and the plan repeats none."""
        proposals, why = self._ask(plan, study, count)
        for proposal in proposals:
            study = study.with_running(proposal.candidate)
        missing = count - len(proposals)
        if not missing:
            return Answer(proposals)
        LOG.warning("%s of %s proposals are not the strategy's: %s", missing, count, why)
        return Answer([*proposals, *_substitutes(plan, study, missing)], missing, why)

    def _ask(self, plan: Plan, study: StudyView, count: int) -> tuple[list[Proposal], str]:
        """Return what the strategy answers in time, and why that may be less than was asked for."""
        if self._abandoned and self._abandoned.is_alive():
            # It cannot be ended before it comes back from a library's code; a second one would only slow both.
            return [], "the strategy is still busy with an earlier answer"
        attempt, seconds = _Attempt(plan.strategy, study, count), self._limit(plan.strategy, count)
        attempt.start()
        attempt.join(seconds)
        proposals = list(attempt.proposals)[:count]
        if len(proposals) == count:
            return proposals, ""
        if attempt.is_alive():
            self._abandoned = attempt
            attempt.interrupt()
            return proposals, f"the strategy took longer than {seconds:g} s"
        if isinstance(attempt.error, SpaceExhausted):
            if not plan.repeats:
                raise attempt.error
            return proposals, str(attempt.error)
        LOG.error("the strategy failed", exc_info=attempt.error)
        return proposals, f"the strategy failed: {attempt.error}"

    def _limit(self, strategy: Strategy, count: int) -> float:
        return self.seconds or min(strategy.patience * count, MOST_SECONDS)


class _Interrupted(BaseException):
    """Raised in a thread whose answer nobody waits for any more."""


class _Attempt(threading.Thread):
    """One answer of a strategy, computed proposal by proposal; `error` is what ended it before its time."""

    def __init__(self, strategy: Strategy, study: StudyView, count: int) -> None:
        super().__init__(name="proposals", daemon=True)
        self.strategy, self.study, self.count = strategy, study, count
        self.proposals: list[Proposal] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        study = self.study
        try:
            while len(self.proposals) < self.count:
                (proposal,) = propose(self.strategy, study, 1)
                study = study.with_running(proposal.candidate)
                self.proposals.append(proposal)
        except BaseException as error:
            self.error = error

    def interrupt(self) -> None:
        """End the thread as soon as it is in Python's code."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident or 0), ctypes.py_object(_Interrupted))


def _substitutes(plan: Plan, study: StudyView, count: int) -> list[Proposal]:
    try:
        return Random().propose(study, count)
    except SpaceExhausted:
        if not plan.repeats:
            raise
        return _repeated(study, count)


def _repeated(study: StudyView, count: int) -> list[Proposal]:
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
        chosen.append(Proposal(best_first[key]))
    return chosen
