"""All that a report shows, as plain data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.foresight import Foresight
from tunesmith.ranking import best_trial, pareto_front, ranking
from tunesmith.study import State, Trial

Curves = Mapping[int, Sequence[tuple[int, Mapping[str, float]]]]


@dataclass(frozen=True)
class ReportContent:
    """What is known of one search; everything but the search itself may be missing, and so may any key of the JSON parts.

    `spec`: the search file with its defaults. `curves`: (step, metrics) by trial number. `network`: the winner's layers in
    topological order, each with name, type, detail, output_shape, parameters, inputs (names). `evaluation`, `exports` and
    `dataset`: the content of evaluation.json, export.json and dataset.json. `seconds`: wall-clock time of the search. `advice`:
    `Advice.to_json()`. `others`: objectives beside the first. `strategy`: what the strategy
    did and why, with the number of the first trial that it was so for. `pictures`: what the best candidate's network is made
    of, by name, each as layers. `fidelity`: the content of fidelity.json. `foresight`: how well the strategy's model ranked the
    trials that came next; `foretold`: by zero-cost proxy, how well it ranked the trials (foresight.py).
    """

    title: str
    spec: Mapping[str, Any]
    objective: Objective
    trials: Sequence[Trial] = ()
    curves: Curves = field(default_factory=dict)
    network: Sequence[Mapping[str, Any]] | None = None
    evaluation: Mapping[str, Any] | None = None
    exports: Sequence[Mapping[str, Any]] | None = None
    dataset: Mapping[str, Any] | None = None
    seconds: float | None = None
    advice: Mapping[str, Any] | None = None
    others: Sequence[Objective] = ()
    constraints: Sequence[Constraint] = ()
    strategy: Sequence[tuple[int, str]] = ()
    pictures: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    fidelity: Mapping[str, Any] | None = None
    foresight: Foresight = field(default_factory=Foresight)
    foretold: Mapping[str, float] = field(default_factory=dict)

    @property
    def aims(self) -> Aims:
        """The objectives and the constraints."""
        return Aims((self.objective, *self.others), tuple(self.constraints))

    @cached_property
    def front(self) -> list[Trial]:
        """The Pareto front in the leaderboard's order; empty where there is one objective."""
        return pareto_front(self.trials, self.aims) if len(self.aims.objectives) > 1 else []

    @cached_property
    def ranked(self) -> list[Trial]:
        """The trials in the leaderboard's order."""
        return ranking(self.trials, self.aims)

    @cached_property
    def best(self) -> Trial | None:
        """The best finished trial with a finite value."""
        best = best_trial(self.trials, self.aims)
        return best if best and self.value(best) is not None else None

    def value(self, trial: Trial) -> float | None:
        """Return the trial's objective; None where it has no finite one."""
        value = trial.metrics.get(self.objective.metric, math.nan)
        return value if math.isfinite(value) else None

    def in_state(self, state: State) -> list[Trial]:
        """Return the trials in one state, by number."""
        return sorted((trial for trial in self.trials if trial.state is state), key=lambda trial: trial.number)
