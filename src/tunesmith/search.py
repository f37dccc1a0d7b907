"""Runs the search that a spec describes: makes the evaluator, opens the record, hands both to the engine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.aims import Aims, Objective
from tunesmith.code import load_function, source_hash
from tunesmith.data.info import DatasetInfo
from tunesmith.engines._engine import Engine, Limits, Progress, Search
from tunesmith.engines.local import Local
from tunesmith.errors import DataError, SpecError, StudyError
from tunesmith.evaluation._context import Evaluator
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.ranking import best_trial, pareto_front, ranking, volume_growth, volume_to_json
from tunesmith.record import Record
from tunesmith.schedulers._scheduler import Scheduler, check_rules, read_scheduler
from tunesmith.spaces._space import Candidate
from tunesmith.spec import Spec, parse_spec
from tunesmith.study import State, Trial
from tunesmith.warm_start import warm_start

if TYPE_CHECKING:
    from tunesmith.engines.katib import Place


@dataclass(frozen=True)
class Outcome:
    """What came of a search: its best trial, and how many trials ended how.

    `front`: of several objectives the Pareto front, in the leaderboard's order: its first, the knee, is the best trial.
    `strategy`: what the strategy did and why, where its settings do not tell. `volume`: of two or three objectives the
    hypervolume as it grew.
    """

    best: Trial
    aims: Aims
    front: list[Trial]
    finished: int
    failed: int
    stopped: int
    seconds: float
    strategy: str = ""
    volume: tuple[tuple[int, float], ...] = ()

    @property
    def objective(self) -> Objective:
        """The first objective."""
        return self.aims.objectives[0]

    @property
    def trials(self) -> int:
        """All trials that have ended."""
        return self.finished + self.failed + self.stopped

    @property
    def value(self) -> float:
        """The best trial's objective."""
        return self.best.metrics[self.objective.metric]

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return {
            "best": _told(self.best),
            "objective": {"metric": self.objective.metric, "goal": self.objective.goal},
            **(self.aims.to_json() if self.front or self.aims.constraints else {}),
            **({"front": [_told(trial) for trial in self.front]} if self.front else {}),
            **({"hypervolume": volume_to_json(self.volume)} if self.volume else {}),
            **{"value": self.value, "trials": self.trials, "failed": self.failed, "stopped": self.stopped},
            "seconds": round(self.seconds, 3),
            **({"strategy": self.strategy} if self.strategy else {}),
        }


def _told(trial: Trial) -> dict[str, Any]:
    return {"trial": trial.number, "candidate": dict(trial.candidate), "metrics": trial.metrics}


def search(
    spec: Spec,
    folder: Path,
    dataset: Path | None = None,
    progress: Progress | None = None,
    engine: str = "local",
    place: "Place | None" = None,
    first: Sequence[Candidate] = (),
) -> Outcome:
    """Run or continue the study in `folder`; `dataset` is a prepared data set's folder, needed for a training.

    `engine`: local or katib. `place`: where a pipeline's step wants the study to be on the cluster. `first`: candidates that
    are tried before the strategy's. Raises StudyError where
    the folder holds another study or no trial succeeded, SpecError where spec and data do not fit.
    """
    check_engine(engine, spec)
    spec, fingerprint = _for_data(spec, dataset)
    evaluator = make_evaluator(spec, dataset)
    content = study_content(spec, fingerprint, evaluator)
    with Record.start(folder, content) as record:
        run(spec, evaluator, record, make_engine(engine, spec, content, record, dataset, place), progress or Progress(), first)
        return outcome(record, spec_aims(spec))


def check_engine(name: str, spec: Spec) -> None:
    """Raise SpecError where there is no engine called so, or its trials cannot be stopped as the spec asks; touches nothing."""
    if name not in ("local", "katib"):
        raise SpecError(f"engine: {name!r} is unknown; allowed: local, katib")
    scheduler = make_scheduler(spec)
    if name == "katib":
        check_rules(scheduler)


def make_engine(
    name: str, spec: Spec, content: dict[str, Any], record: Record, dataset: Path | None = None, place: "Place | None" = None
) -> Engine:
    """Return the engine called local or katib; raises SpecError for any other name, or where there is no cluster."""
    check_engine(name, spec)
    if name == "local":
        return Local()
    from tunesmith.on_katib import katib_engine

    return katib_engine(spec, content, record.folder, dataset, place)


def study_content(spec: Spec, fingerprint: str, evaluator: Evaluator | None = None) -> dict[str, Any]:
    """Return what makes a study that study: the search file with every default, and what its data and its function hold."""
    content = spec.to_json()
    if fingerprint:
        content["data"]["fingerprint"] = fingerprint
    if isinstance(evaluator, FunctionEvaluator):
        content["evaluation"]["sha256"] = source_hash(evaluator.function)
    return content


def run(
    spec: Spec, evaluator: Evaluator, record: Record, engine: Engine, progress: Progress, first: Sequence[Candidate] = ()
) -> None:
    """Run a spec's search on an engine; the candidates `first` come before the strategy's."""
    budget, resources = spec.file.budget, spec.file.resources
    limits = Limits(budget.trials, budget.parallel, budget.hours, resources.memory, resources.seconds)
    warm = warm_start(spec.file.warm_start or [], spec.space, spec_aims(spec), budget.trials, record, spec.folder)
    for note in warm.notes:
        progress.note(note)
    engine.run(
        Search(
            *(spec.space, spec.strategy, spec_aims(spec).objectives[0], evaluator, limits, record, spec.seed),
            others=spec.others,
            constraints=spec.constraints,
            scheduler=make_scheduler(spec),
            first=(*first, *warm.first),
            earlier=warm.earlier,
        ),
        progress,
    )


def outcome(record: Record, aims: Aims) -> Outcome:
    """Sum up a study; raises StudyError where no trial finished, with the last failure's reason, or none within constraints."""
    trials = [trial for trial in record.trials() if trial.done]
    counts = {state: sum(trial.state is state for trial in trials) for state in State}
    best = best_trial(trials, aims)
    if best is None:
        raise StudyError(f"{record.folder}: {_why_none(trials, aims)}")
    front = pareto_front(trials, aims) if len(aims.objectives) > 1 else []
    return Outcome(
        *(best, aims, front, counts[State.FINISHED], counts[State.FAILED], counts[State.STOPPED], record.seconds),
        strategy="; then ".join(text for _, text in record.strategy),
        volume=tuple(volume_growth(trials, aims)),
    )


def _why_none(trials: list[Trial], aims: Aims) -> str:
    """Say why none of the trials is the best."""
    finished = [trial for trial in trials if trial.state is State.FINISHED]
    if finished:
        nearest = ranking(finished, aims)[0]
        missed = [bound for bound in aims.constraints if bound.violation(nearest.metrics) != 0]
        told = ", ".join(f"{bound.metric} {nearest.metrics.get(bound.metric, math.nan):.4g}" for bound in missed)
        wanted = ", ".join(str(bound) for bound in aims.constraints)
        return f"none of {len(finished)} finished trials keeps {wanted}; trial {nearest.number} comes nearest with {told}"
    failures = [trial.reason for trial in trials if trial.state is State.FAILED]
    return f"none of {len(trials)} trials finished" + (f"; the last failure: {failures[-1]}" if failures else "")


def study_spec(record: Record) -> Spec:
    """Return the spec that a study was run with."""
    return parse_spec(record.content, str(record.folder / "spec.yaml"), record.folder)


def spec_aims(spec: Spec) -> Aims:
    """Return objectives and constraints; the data's task has decided the objective where the file left it open."""
    if spec.aims is None:
        raise DataError("data: is needed to decide the objective; name one in objectives or give the prepared data")
    return spec.aims


def make_evaluator(spec: Spec, dataset: Path | None) -> Evaluator:
    """Return the evaluator that the spec asks for."""
    evaluation = spec.file.evaluation
    if evaluation.kind == "function":
        function = load_function(evaluation.function or "", "evaluation.function", spec.folder)
        return FunctionEvaluator(function, spec_aims(spec).objectives[0].metric)
    if dataset is None:
        raise DataError("data: a training needs a prepared data set")
    return TrainingEvaluator.for_aims(spec.compared, dataset, spec_aims(spec), evaluation, spec.space)


def make_scheduler(spec: Spec) -> Scheduler | None:
    """Return the scheduler that the spec asks for, if any."""
    return read_scheduler(spec.file.scheduler)


def _for_data(spec: Spec, dataset: Path | None) -> tuple[Spec, str]:
    if dataset is None or spec.file.data is None:
        return spec, ""
    info = DatasetInfo.load(dataset)
    wanted = spec.file.data.fingerprint
    if wanted and wanted != info.fingerprint:
        raise DataError(f"data.fingerprint: {dataset} holds {info.fingerprint}, the spec asks for {wanted}")
    return spec.for_data(info), info.fingerprint
