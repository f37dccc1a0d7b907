"""How far a search's cheap comparison foretells the final training: rank correlation, measured on trials of every rank."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scipy.stats import spearmanr

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError, StudyError, TrialFailed
from tunesmith.evaluation._context import Context
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

    `compared` and `full`: the objective as the search saw it, and after the full training. `correlation`: Spearman's, of the
    ranks. `seconds` and `full_seconds`: of a trial and of a full training, on average.
    """

    metric: str
    trials: list[int]
    compared: list[float]
    full: list[float]
    correlation: float
    epochs: int
    seconds: float
    full_seconds: float


def measure_fidelity(study: Path, dataset: Path, count: int, epochs: int | None, log: Log = lambda _: None) -> Fidelity:
    """Train `count` trials of all ranks at full size on all examples, and keep in the study how well they were ranked.

    epochs: of the full training; without it the search file's `final.epochs`, else its `evaluation.epochs`. Raises StudyError
    where fewer than three trials have finished, SpecError for fewer than three trials.
    """
    if count < LEAST:
        raise SpecError(f"trials: got {count}; a rank correlation needs {LEAST} at least")
    spec, objective, chosen = _chosen(study, dataset, count)
    if len(chosen) < LEAST:
        raise StudyError(f"{study}: only {len(chosen)} trials finished with {objective.metric}; {LEAST} are needed")
    epochs = epochs or _full_epochs(spec)
    evaluator = TrainingEvaluator(spec.space, dataset, objective, epochs)
    full, started = [], time.monotonic()
    for trial in chosen:
        full.append(_trained(evaluator, trial, trial_seed(spec.seed, trial.number))[objective.metric])
        log(f"trial {trial.number}: {objective.metric} {trial.metrics[objective.metric]:.4g}, in full {full[-1]:.4g}")
    compared = [trial.metrics[objective.metric] for trial in chosen]
    found = Fidelity(
        *(objective.metric, [trial.number for trial in chosen], compared, full),
        correlation=float(spearmanr(compared, full)[0]),  # pyright: ignore[reportArgumentType]
        epochs=epochs,
        seconds=sum(trial.seconds for trial in chosen) / len(chosen),
        full_seconds=(time.monotonic() - started) / len(chosen),
    )
    write_json(study / FILE, asdict(found))
    return found


def keep_fidelity(study: Path, dataset: Path, log: Log) -> None:
    """Measure the fidelity that the study's search file asks for (`final.fidelity`), unless that is there from before.

    With fewer than three finished trials `log` is told that there is nothing to measure.
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
    measure_fidelity(study, dataset, count, None, log)


def read_fidelity(study: Path) -> Fidelity | None:
    """Return what was measured in the study's folder, if anything was."""
    path = study / FILE
    return Fidelity(**json.loads(path.read_text())) if path.is_file() else None


def _chosen(study: Path, dataset: Path, count: int) -> tuple[Spec, Objective, list[Trial]]:
    """Return the study's spec and first objective, and the trials to be trained in full."""
    with Record.read(study) as record:
        spec, trials = study_spec(record).for_data(DatasetInfo.load(dataset)), record.trials()
    objective = spec_aims(spec).objectives[0]
    return spec, objective, _spread(trials, objective.metric, count)


def _full_epochs(spec: Spec) -> int:
    return spec.file.final.epochs or spec.file.evaluation.epochs


def _spread(trials: Sequence[Trial], metric: str, count: int) -> list[Trial]:
    """Return so many of the finished trials, evenly from the best to the worst."""
    ranked = sorted((t for t in trials if t.state is State.FINISHED and metric in t.metrics), key=lambda t: t.metrics[metric])
    if len(ranked) <= count:
        return ranked
    return [ranked[round(place * (len(ranked) - 1) / (count - 1))] for place in range(count)]


def _trained(evaluator: TrainingEvaluator, trial: Trial, seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        context = Context(trial.number, seed, Path(folder), lambda *_: None)
        try:
            return evaluator.evaluate(trial.candidate, context)
        except TrialFailed as error:
            raise StudyError(f"trial {trial.number} could not be trained in full: {error}") from None
