"""What an experiment of Katib's asks for, whichever way it says it: a Tunesmith spec in a setting, or plain parameters."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.errors import SpecError
from tunesmith.katib import api_pb2
from tunesmith.katib.environment import NAMESPACE
from tunesmith.registry import did_you_mean, discover
from tunesmith.schedulers._scheduler import Scheduler
from tunesmith.spaces._distributions import Value
from tunesmith.spaces._space import Candidate, Space
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import EarlierStudy, Trial

PREFIX = "tunesmith-"
# What the service leaves for itself in the reply's settings, and Katib brings back: the proposals that its next list may lack,
# and how often another strategy had to answer.
ISSUED = "issued"
FALLBACK = "fallback"
OF_THE_SERVICE = (ISSUED, FALLBACK)
SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
GOALS: Mapping[int, str] = {api_pb2.MINIMIZE: "minimize", api_pb2.MAXIMIZE: "maximize"}


class ParameterCode(ABC):
    """How candidates are written as Katib's parameters."""

    @abstractmethod
    def write(self, candidate: Candidate) -> dict[str, str]:
        """Return the parameters that tell the candidate."""

    @abstractmethod
    def read(self, assigned: Mapping[str, str]) -> dict[str, Value]:
        """Return the candidate that `write` told, among other parameters perhaps; raises SpecError."""


@dataclass(frozen=True)
class Plan:
    """A search as its experiment asks for it.

    `study`: tells the experiment from its namesakes. `offset`: number of its first trial, `earlier`: trials before that.
    `first`: candidates to be tried first, `studies`: others to learn from. `steps`: most that a trial reports, None where
    nobody knows. `repeats`: whether candidates are tried again when the space has no more. `others`: objectives beside the
    first. `kin`: whether the experiment asks of each proposal which trial it was edited from.
    """

    space: Space
    strategy: Strategy
    objective: Objective
    code: ParameterCode
    study: str
    seed: int = 0
    offset: int = 0
    earlier: tuple[Trial, ...] = ()
    first: tuple[Candidate, ...] = ()
    scheduler: Scheduler | None = None
    steps: int | None = None
    repeats: bool = False
    others: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    studies: tuple[EarlierStudy, ...] = ()
    kin: bool = False

    @property
    def aims(self) -> Aims:
        """The objectives and the constraints."""
        return Aims((self.objective, *self.others), self.constraints)


def settings_of(experiment: api_pb2.Experiment) -> dict[str, str]:
    """Return the algorithm settings."""
    return {setting.name: setting.value for setting in experiment.spec.algorithm.algorithm_settings}


def strategy_name(experiment: api_pb2.Experiment) -> str:
    """Return the strategy that `algorithmName` names; raises SpecError for another algorithm."""
    given, strategies = experiment.spec.algorithm.algorithm_name, discover("tunesmith.strategies")
    algorithms = [PREFIX + name for name in strategies]
    if given not in algorithms:
        raise SpecError(
            f"algorithm.algorithmName: {given!r} is unknown; allowed: {', '.join(algorithms)}{did_you_mean(given, algorithms)}"
        )
    return given.removeprefix(PREFIX)


def read_objective(experiment: api_pb2.Experiment) -> Objective:
    """Return the experiment's objective; raises SpecError where it is missing."""
    objective = experiment.spec.objective
    goal = GOALS.get(objective.type)
    if not objective.objective_metric_name:
        raise SpecError("objective.objectiveMetricName: is missing")
    if goal is None:
        raise SpecError(f"objective.type: is missing; one of: {', '.join(GOALS.values())}")
    return Objective(objective.objective_metric_name, "maximize" if goal == "maximize" else "minimize")


def namespace() -> str:
    """Return the namespace that this pod runs in, which no request tells; empty outside a cluster."""
    told = os.environ.get(NAMESPACE)
    if told is None and SERVICE_ACCOUNT_NAMESPACE.is_file():
        told = SERVICE_ACCOUNT_NAMESPACE.read_text(encoding="utf-8").strip()
    return told or ""
