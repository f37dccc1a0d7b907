"""The study as every part sees it: objectives, proposals, trials. Plain data, no storage."""

import hashlib
import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

import numpy as np

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.errors import SpecError
from tunesmith.merits import penalised, scalarised
from tunesmith.pareto import best_first
from tunesmith.spaces._space import Candidate, Space, canonical


class State(StrEnum):
    """Where a trial stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


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
    """A candidate that a strategy wants tried. `parent`: the number of the trial that it was edited from."""

    candidate: Candidate
    parent: int | None = None


@dataclass(frozen=True)
class Trial:
    """One proposal being evaluated, with its outcome.

    `seconds` is the evaluation's wall-clock time; `facts` holds what is known of the trial besides its metrics (estimated
    memory, epochs, time in fit); `reason` says why it failed or was stopped. `parent`: the trial that it was edited from.
    """

    number: int
    candidate: Candidate
    state: State = State.RUNNING
    metrics: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0
    attempts: int = 1
    facts: dict[str, float] = field(default_factory=dict)
    parent: int | None = None

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

    @cached_property
    def tried(self) -> frozenset[str]:
        """What all trials stand for, as `identity` tells it."""
        return frozenset(self._identity_of(trial) for trial in self.trials)

    def identity(self, candidate: Candidate) -> str:
        """Return one text for all candidates that stand for the same; one that does not fit the space stands for itself."""
        try:
            return self.space.identity(candidate)
        except SpecError:
            return canonical(candidate)

    def _identity_of(self, trial: Trial) -> str:
        """Return the same of a trial's candidate, whose own text is remembered where it stands for itself alone."""
        return trial.key if type(self.space).identity is Space.identity else self.identity(trial.candidate)

    def is_new(self, candidate: Candidate) -> bool:
        """Tell whether no trial has tried what the candidate stands for."""
        return self.identity(candidate) not in self.tried

    def rng(self) -> np.random.Generator:
        """Return the random stream of the next proposal."""
        return np.random.default_rng([self.seed, self.issued])

    def losses(self) -> dict[int, float]:
        """Return the loss by trial number of all trials with a finite objective; smaller is better.

        A stopped trial's is the best it had come to; it would have ended no worse, and so searches keep away from such trials.
        """
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

    def best_first(self, most: int | None = None) -> list[int]:
        """Return the numbers of the trials of `loss_rows`, the best first, for strategies that sort by front (pareto.py)."""
        rows = self.loss_rows()
        if not rows:
            return []
        metrics = {trial.number: trial.metrics for trial in self.trials}
        numbers = sorted(rows)
        losses = np.array([rows[number] for number in numbers])
        missed = np.array([self.aims.violation(metrics[number]) for number in numbers])
        return [numbers[i] for i in best_first(losses, missed, most)]

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


def trial_seed(seed: int, number: int) -> int:
    """Return the seed of a trial's training, below 2**31, the same for every engine."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4]) >> 1
