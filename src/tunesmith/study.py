"""The study as every part sees it: objectives, proposals, trials. Plain data, no storage."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Literal

import numpy as np

from tunesmith.merits import penalised, scalarised
from tunesmith.spaces._space import Candidate, Space, canonical

TIE_BREAKER = "val_loss"


class State(StrEnum):
    """Where a trial stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Objective:
    """A metric to be made as small or as large as possible."""

    metric: str
    goal: Literal["minimize", "maximize"] = "minimize"

    def loss(self, value: float) -> float:
        """Return the value turned so that smaller is better."""
        return value if self.goal == "minimize" else -value


@dataclass(frozen=True)
class Constraint:
    """A bound on a reported metric: `latency_ms <= 5`."""

    metric: str
    relation: Literal["<=", ">="]
    bound: float

    def excess(self, metrics: Mapping[str, float]) -> float:
        """Return how far beyond the bound the metric is, below 0 within it, NaN where it was not reported."""
        value = metrics.get(self.metric, math.nan)
        excess = value - self.bound if self.relation == "<=" else self.bound - value
        return excess if math.isfinite(excess) else math.nan

    def violation(self, metrics: Mapping[str, float]) -> float:
        """Return by how much the bound is missed, 0 where it is kept, NaN where the metric was not reported."""
        excess = self.excess(metrics)
        return max(excess, 0.0) if math.isfinite(excess) else math.nan


@dataclass(frozen=True)
class Aims:
    """What a search is after: its objectives, the first one leading, within its constraints."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that every trial has to report, each named once, the first objective's first."""
        return tuple(dict.fromkeys(aim.metric for aim in (*self.objectives, *self.constraints)))

    def violation(self, metrics: Mapping[str, float]) -> float:
        """Return by what shares of their bounds the constraints are missed in all; infinite where one cannot be told."""
        missed = ((bound.violation(metrics), abs(bound.bound) or 1.0) for bound in self.constraints)
        total = sum(beyond / unit for beyond, unit in missed)
        return math.inf if math.isnan(total) else total


@dataclass(frozen=True)
class EarlierStudy:
    """What another study found, told in this study's parameters.

    `candidates` may lack parameters that the other study did not know. `losses`, one per candidate, are finite, smaller is
    better; they compare with each other alone, never with those of another study.
    """

    name: str
    candidates: tuple[Candidate, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Proposal:
    """A candidate that a strategy wants tried."""

    candidate: Candidate


@dataclass(frozen=True)
class Trial:
    """One proposal being evaluated, with its outcome.

    `seconds` is the evaluation's wall-clock time; `facts` holds what is known of the trial besides its metrics (estimated
    memory, epochs, time in fit); `reason` says why it failed or was stopped.
    """

    number: int
    candidate: Candidate
    state: State = State.RUNNING
    metrics: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0
    attempts: int = 1
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the trial has ended, in whatever way."""
        return self.state is not State.RUNNING

    @cached_property
    def key(self) -> str:
        """The candidate as one text, equal for equal candidates."""
        return canonical(self.candidate)


@dataclass(frozen=True)
class StudyView:
    """All that a strategy may know: the space, the objectives, what was proposed so far and what came of it.

    `issued` counts the proposals handed out so far; it may be ahead of `trials`, since a host's list can lag behind. `first`:
    candidates to be tried before any of the strategy's, the one at position n as trial n. `others`: objectives beside the
    first. `budget`: trials in all, None where nobody knows. `parallel`: trials at a time. `earlier`: studies to learn from.
    """

    space: Space
    objective: Objective
    trials: tuple[Trial, ...] = ()
    issued: int = 0
    seed: int = 0
    first: tuple[Candidate, ...] = ()
    others: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    budget: int | None = None
    parallel: int = 1
    earlier: tuple[EarlierStudy, ...] = ()

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All objectives, the first one first."""
        return (self.objective, *self.others)

    @property
    def aims(self) -> Aims:
        """The objectives and the constraints."""
        return Aims(self.objectives, self.constraints)

    def with_running(self, candidate: Candidate) -> "StudyView":
        """Return the study with one more proposal handed out."""
        return replace(self, trials=(*self.trials, Trial(self.issued, candidate)), issued=self.issued + 1)

    def rng(self) -> np.random.Generator:
        """Return the random stream of the next proposal."""
        return np.random.default_rng([self.seed, self.issued])

    def losses(self) -> dict[int, float]:
        """Return the loss by trial number of all trials with a finite objective; smaller is better."""
        found = {}
        for trial in self.trials:
            value = trial.metrics.get(self.objective.metric, math.nan)
            if trial.state in (State.FINISHED, State.STOPPED) and math.isfinite(value):
                found[trial.number] = self.objective.loss(value)
        return found

    def loss_rows(self) -> dict[int, tuple[float, ...]]:
        """Return the losses by trial number, one per objective, of all trials whose objectives are all finite."""
        metrics = {trial.number: trial.metrics for trial in self.trials}
        rows = {}
        for number, loss in self.losses().items():
            row = (loss, *(other.loss(metrics[number].get(other.metric, math.nan)) for other in self.others))
            if all(math.isfinite(value) for value in row):
                rows[number] = row
        return rows

    def feasible(self, trial: Trial) -> bool:
        """Tell whether the trial has ended and is known to keep every constraint."""
        return trial.state in (State.FINISHED, State.STOPPED) and self.aims.violation(trial.metrics) == 0

    def merits(self) -> dict[int, float]:
        """Return one loss by trial number, for strategies that follow a single figure: that of the one objective, or of all.

        Of several objectives one figure is made whose weights change with every proposal issued; trials that miss a constraint
        count as worse than all that keep it. With one objective and no constraint these are the losses.
        """
        if not self.others and not self.constraints:
            return self.losses()
        rows = self.loss_rows()
        if not rows:
            return {}
        losses = np.array(list(rows.values()))
        merits = scalarised(losses, self.issued, self.seed) if self.others else losses[:, 0]
        metrics = {trial.number: trial.metrics for trial in self.trials}
        violations = np.array([self.aims.violation(metrics[number]) for number in rows])
        return dict(zip(rows, penalised(merits, violations).tolist(), strict=True))


def best_trial(trials: tuple[Trial, ...] | list[Trial], objective: Objective) -> Trial | None:
    """Return the first of the leaderboard; None where no trial has finished."""
    ranked = ranking(trials, objective)
    return ranked[0] if ranked and ranked[0].state is State.FINISHED else None


def ranking(trials: tuple[Trial, ...] | list[Trial], objective: Objective) -> list[Trial]:
    """Return all trials in the leaderboard's order: finished by value, then stopped by value, failed, running.

    Of equal values the lower TIE_BREAKER is first (an accuracy on few examples has many ties), then the earlier trial.
    """
    order = [State.FINISHED, State.STOPPED, State.FAILED, State.RUNNING]

    def key(trial: Trial) -> tuple[int, float, float, int]:
        value = trial.metrics.get(objective.metric, math.nan)
        loss = objective.loss(value) if math.isfinite(value) else math.inf
        return order.index(trial.state), loss, trial.metrics.get(TIE_BREAKER, math.inf), trial.number

    return sorted(trials, key=key)


def trial_seed(seed: int, number: int) -> int:
    """Return the seed of a trial's training, below 2**31, the same for every engine."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4]) >> 1
