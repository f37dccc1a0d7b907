"""All that a report shows, as plain data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tunesmith.study import Objective, State, Trial, best_trial, ranking

Curves = Mapping[int, Sequence[tuple[int, Mapping[str, float]]]]


@dataclass(frozen=True)
class ReportContent:
    """What is known of one search; everything but the search itself may be missing, and so may any key of the JSON parts.

    `spec`: the search file with its defaults. `curves`: (step, metrics) by trial number. `network`: the winner's layers in
    topological order, each with name, type, detail, output_shape, parameters, inputs (names). `evaluation`, `exports` and
    `dataset`: the content of evaluation.json, export.json and dataset.json. `seconds`: wall-clock time of the search.
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

    @cached_property
    def ranked(self) -> list[Trial]:
        """The trials in the leaderboard's order."""
        return ranking(list(self.trials), self.objective)

    @cached_property
    def best(self) -> Trial | None:
        """The best finished trial with a finite value."""
        best = best_trial(self.ranked, self.objective)
        return best if best and self.value(best) is not None else None

    def value(self, trial: Trial) -> float | None:
        """Return the trial's objective; None where it has no finite one."""
        value = trial.metrics.get(self.objective.metric, math.nan)
        return value if math.isfinite(value) else None

    def in_state(self, state: State) -> list[Trial]:
        """Return the trials in one state, by number."""
        return sorted((trial for trial in self.trials if trial.state is state), key=lambda trial: trial.number)
