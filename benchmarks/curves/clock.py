"""A search on simulated workers: each does one step of its trial at every tick, so all is over in the time proposals take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from curves.searchers import Searcher
from curves.tables import Problem
from tunesmith.study import State


@dataclass
class Running:
    """A trial on a worker: its number, the curve that it will show, and how many steps of that are done."""

    number: int
    curve: Sequence[float]
    done: int = 0


@dataclass
class Course:
    """How a search went: of each trial that finished, after how many steps of all trials, and with what loss."""

    ended: list[tuple[int, float]] = field(default_factory=list)
    trials: int = 0

    def best(self, spent: int) -> float:
        """Return the least loss of the trials that had finished after so many steps in all, infinite where there was none."""
        return min((loss for at, loss in self.ended if at <= spent), default=math.inf)


def search(problem: Problem, searcher: Searcher, workers: int, most: int) -> Course:
    """Run trials until `most` steps are spent in all."""
    course = Course()
    places: list[Running | None] = [None] * workers
    for spent in range(1, most + 1):
        place = spent % workers
        running = places[place] or _start(problem, searcher, course)
        places[place] = running if _step(running, searcher, course, spent) is State.RUNNING else None
    return course


def search_trials(problem: Problem, searcher: Searcher, trials: int) -> tuple[Course, int]:
    """Run so many trials, one after the other; returns the steps that all of them took, too."""
    course, spent = Course(), 0
    for _ in range(trials):
        running, state = _start(problem, searcher, course), State.RUNNING
        while state is State.RUNNING:
            spent += 1
            state = _step(running, searcher, course, spent)
    return course, spent


def _start(problem: Problem, searcher: Searcher, course: Course) -> Running:
    course.trials += 1
    return Running(course.trials - 1, problem.curve(searcher.ask()))


def _step(running: Running, searcher: Searcher, course: Course, spent: int) -> State:
    """Do one step of a trial; returns how it stands then."""
    loss = running.curve[running.done]
    running.done += 1
    if not math.isfinite(loss):
        searcher.end(running.number, State.FAILED)
        return State.FAILED
    stop = searcher.report(running.number, loss)
    if running.done == len(running.curve):
        course.ended.append((spent, min(running.curve)))
        searcher.end(running.number, State.FINISHED)
        return State.FINISHED
    if stop:
        searcher.end(running.number, State.STOPPED)
        return State.STOPPED
    return State.RUNNING
