"""Runs the search that a spec describes: makes the evaluator, opens the record, hands both to the engine."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.code import load_function, source_hash
from tunesmith.data.info import DatasetInfo
from tunesmith.engines._engine import Engine, Limits, Progress, Search
from tunesmith.engines.local import Local
from tunesmith.errors import DataError, SpecError, StudyError
from tunesmith.evaluation._context import Evaluator
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.record import Record
from tunesmith.schedulers._scheduler import Scheduler, read_scheduler
from tunesmith.spec import Spec, parse_spec
from tunesmith.study import Objective, State, Trial, best_trial
from tunesmith.warm_start import first_candidates

if TYPE_CHECKING:
    from tunesmith.engines.katib import Place


@dataclass(frozen=True)
class Outcome:
    """What came of a search: its best trial, and how many trials ended how."""

    best: Trial
    objective: Objective
    finished: int
    failed: int
    stopped: int
    seconds: float

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
            "best": {"trial": self.best.number, "candidate": dict(self.best.candidate), "metrics": self.best.metrics},
            "objective": {"metric": self.objective.metric, "goal": self.objective.goal},
            **{"value": self.value, "trials": self.trials, "failed": self.failed, "stopped": self.stopped},
            "seconds": round(self.seconds, 3),
        }


def search(
    spec: Spec,
    folder: Path,
    dataset: Path | None = None,
    progress: Progress | None = None,
    engine: str = "local",
    place: "Place | None" = None,
) -> Outcome:
    """Run or continue the study in `folder`; `dataset` is a prepared data set's folder, needed for a training.

    `engine`: local or katib. `place`: where a pipeline's step wants the study to be on the cluster. Raises StudyError where
    the folder holds another study or no trial succeeded, SpecError where spec and data do not fit.
    """
    spec, fingerprint = _for_data(spec, dataset)
    evaluator = make_evaluator(spec, dataset)
    content = study_content(spec, fingerprint, evaluator)
    with Record.start(folder, content) as record:
        run(spec, evaluator, record, make_engine(engine, spec, content, record, dataset, place), progress or Progress())
        return outcome(record, spec_objective(spec))


def make_engine(
    name: str, spec: Spec, content: dict[str, Any], record: Record, dataset: Path | None = None, place: "Place | None" = None
) -> Engine:
    """Return the engine called local or katib; raises SpecError for any other name, or where there is no cluster."""
    if name == "local":
        return Local()
    if name != "katib":
        raise SpecError(f"engine: {name!r} is unknown; allowed: local, katib")
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


def run(spec: Spec, evaluator: Evaluator, record: Record, engine: Engine, progress: Progress) -> None:
    """Run a spec's search on an engine."""
    budget, resources = spec.file.budget, spec.file.resources
    limits = Limits(budget.trials, budget.parallel, budget.hours, resources.memory, resources.seconds)
    engine.run(
        Search(
            *(spec.space, spec.strategy, spec_objective(spec), evaluator, limits, record, spec.seed),
            scheduler=make_scheduler(spec),
            first=first_candidates(spec.file.warm_start or [], spec.space, budget.trials, spec.folder),
        ),
        progress,
    )


def outcome(record: Record, objective: Objective) -> Outcome:
    """Sum up a study; raises StudyError where no trial finished, with the last failure's reason."""
    trials = [trial for trial in record.trials() if trial.done]
    counts = {state: sum(trial.state is state for trial in trials) for state in State}
    best = best_trial(trials, objective)
    if best is None:
        failures = [trial.reason for trial in trials if trial.state is State.FAILED]
        why = f"; the last failure: {failures[-1]}" if failures else ""
        raise StudyError(f"{record.folder}: none of {len(trials)} trials finished{why}")
    return Outcome(best, objective, counts[State.FINISHED], counts[State.FAILED], counts[State.STOPPED], record.seconds)


def study_spec(record: Record) -> Spec:
    """Return the spec that a study was run with."""
    return parse_spec(record.content, str(record.folder / "spec.yaml"), record.folder)


def spec_objective(spec: Spec) -> Objective:
    """Return the objective; the data's task has decided it where the file left it open."""
    if spec.objective is None:
        raise DataError("data: is needed to decide the objective; name one in objectives or give the prepared data")
    return spec.objective


def make_evaluator(spec: Spec, dataset: Path | None) -> Evaluator:
    """Return the evaluator that the spec asks for."""
    evaluation = spec.file.evaluation
    if evaluation.kind == "function":
        function = load_function(evaluation.function or "", "evaluation.function", spec.folder)
        return FunctionEvaluator(function, spec_objective(spec).metric)
    if dataset is None:
        raise DataError("data: a training needs a prepared data set")
    patience = evaluation.early_stopping.patience if evaluation.early_stopping else None
    return TrainingEvaluator(spec.space, dataset, spec_objective(spec), evaluation.epochs, patience)


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
