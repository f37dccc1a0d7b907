"""How far a search's cheap comparison foretells the final training: rank correlation, measured on trials of every rank."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError, StudyError, TrialFailed
from tunesmith.evaluation._context import Context
from tunesmith.evaluation._measured import trained_by
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.files import write_json
from tunesmith.record import Record
from tunesmith.search import spec_aims, study_spec
from tunesmith.spec import Spec
from tunesmith.study import Objective, State, Trial, trial_seed

FILE = "fidelity.json"
LEAST = 3
Log = Callable[[str], None]


@dataclass(frozen=True)
class Fidelity:
    """The content of `fidelity.json`: the trials that were trained in full, and what came of them.

    `compared` and `full`: the first metric of training that the search is after, as the search saw it, and after the full
    training. `correlation`: Spearman's, of the ranks; None where all figures of one side are equal. `seconds` and
    `full_seconds`: of a trial and of a full training, on average.
    """

    metric: str
    trials: list[int]
    compared: list[float]
    full: list[float]
    correlation: float | None
    epochs: int
    seconds: float
    full_seconds: float


def measure_fidelity(study: Path, dataset: Path, count: int, epochs: int | None, log: Log = lambda _: None) -> Fidelity:
    """Train `count` trials of all ranks at full size on all examples, and keep in the study how well they were ranked.

    epochs: of the full training; without it the search file's `final.epochs`, else its `evaluation.epochs`. A trial whose full
    training fails is told to `log` and left out. Raises StudyError where fewer than three are left, SpecError for fewer than
    three trials.
    """
    if count < LEAST:
        raise SpecError(f"trials: got {count}; a rank correlation needs {LEAST} at least")
    spec, objective, chosen = _chosen(study, dataset, count)
    if len(chosen) < LEAST:
        raise StudyError(f"{study}: only {len(chosen)} trials finished with {objective.metric}; {LEAST} are needed")
    epochs = epochs or _full_epochs(spec)
    evaluator = TrainingEvaluator(spec.space, dataset, objective, epochs)
    full: dict[int, float] = {}
    started = time.monotonic()
    for trial in chosen:
        try:
            full[trial.number] = _trained(evaluator, trial, spec)[objective.metric]
        except TrialFailed as error:
            log(f"trial {trial.number} could not be trained in full, and is left out: {error}")
            continue
        told = f"{objective.metric} {trial.metrics[objective.metric]:.4g}, in full {full[trial.number]:.4g}"
        log(f"trial {trial.number}: {told}")
    trained = [trial for trial in chosen if trial.number in full]
    if len(trained) < LEAST:
        raise StudyError(f"{study}: only {len(trained)} trials could be trained in full; {LEAST} are needed")
    compared = [trial.metrics[objective.metric] for trial in trained]
    found = Fidelity(
        *(objective.metric, list(full), compared, list(full.values())),
        correlation=_correlation(compared, list(full.values())),
        epochs=epochs,
        seconds=sum(trial.seconds for trial in trained) / len(trained),
        full_seconds=(time.monotonic() - started) / len(chosen),
    )
    write_json(study / FILE, asdict(found))
    return found


def keep_fidelity(study: Path, dataset: Path, log: Log) -> None:
    """Measure the fidelity that the study's search file asks for (`final.fidelity`), unless that is there from before.

    `log` is told where fewer than three trials finished, or could be trained in full: the search is worth no less for it.
    """
    with Record.read(study) as record:
        count = study_spec(record).file.final.fidelity
    if not count:
        return
    spec, _, chosen = _chosen(study, dataset, count)
    known = read_fidelity(study)
    if known and (known.trials, known.epochs) == ([trial.number for trial in chosen], _full_epochs(spec)):
        return
    if len(chosen) < LEAST:
        log(f"fidelity is not measured: {len(chosen)} trials finished, {LEAST} are needed")
        return
    try:
        measure_fidelity(study, dataset, count, None, log)
    except StudyError as error:
        log(f"fidelity is not measured: {error}")


def read_fidelity(study: Path) -> Fidelity | None:
    """Return what was measured in the study's folder, if anything was."""
    path = study / FILE
    return Fidelity(**json.loads(path.read_text())) if path.is_file() else None


def _chosen(study: Path, dataset: Path, count: int) -> tuple[Spec, Objective, list[Trial]]:
    """Return the study's spec, the metric of training that it is after, and the trials to be trained in full."""
    with Record.read(study) as record:
        spec, trials = study_spec(record).for_data(DatasetInfo.load(dataset)), record.trials()
    objective = trained_by(spec_aims(spec))
    return spec, objective, _spread(trials, objective.metric, count)


def _full_epochs(spec: Spec) -> int:
    return spec.file.final.epochs or spec.file.evaluation.epochs


def _spread(trials: Sequence[Trial], metric: str, count: int) -> list[Trial]:
    """Return so many of the finished trials, evenly from the best to the worst."""
    ranked = sorted((t for t in trials if t.state is State.FINISHED and metric in t.metrics), key=lambda t: t.metrics[metric])
    if len(ranked) <= count:
        return ranked
    return [ranked[round(place * (len(ranked) - 1) / (count - 1))] for place in range(count)]


def _trained(evaluator: TrainingEvaluator, trial: Trial, spec: Spec) -> dict[str, float]:
    seed, memory = trial_seed(spec.seed, trial.number), spec.file.resources.memory
    with tempfile.TemporaryDirectory() as folder:
        return evaluator.evaluate(trial.candidate, Context(trial.number, seed, Path(folder), lambda *_: None, memory))


def _correlation(compared: list[float], full: list[float]) -> float | None:
    if not np.ptp(compared) or not np.ptp(full):
        return None
    return float(spearmanr(compared, full)[0])  # pyright: ignore[reportArgumentType]
