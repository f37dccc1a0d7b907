"""How far a search's cheap comparison foretells the final training: rank correlation, measured on trials of every rank."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
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
FIT, WHOLE = "fit_seconds", "seconds"
Log = Callable[[str], None]


@dataclass(frozen=True)
class Fidelity:
    """The content of `fidelity.json`: the trials that were trained in full, and what came of them.

    `compared` and `full`: the first metric of training that the search is after, as the search saw it, and after the full
    training. `correlation`: Spearman's, of the ranks; None where all figures of one side are equal. `seconds` and
    `full_seconds`: of a trial and of a full training, on average. `stopped`: those of the trials that a scheduler had ended.
    `timed`: what the seconds are of: `fit_seconds`, the training alone, or `seconds`, the whole evaluation.
    """

    metric: str
    trials: list[int]
    compared: list[float]
    full: list[float]
    correlation: float | None
    epochs: int
    seconds: float
    full_seconds: float
    stopped: list[int] = field(default_factory=list)
    timed: str = WHOLE

    @property
    def drawn(self) -> str:
        """How many trials were trained in full, and how many of them had been stopped."""
        stopped = f", {len(self.stopped)} of them stopped early by the search" if self.stopped else ""
        return f"{len(self.trials)} trials, from the worst to the best{stopped}"

    @property
    def cost(self) -> str:
        """What a trial took of a full training's time, naming what is compared."""
        share = self.seconds / self.full_seconds if self.full_seconds else 0.0
        if self.timed == FIT:
            return f"a trial's training took {share:.0%} of a full training's time"
        return f"a trial, from its start to its end, took {share:.0%} of a full training's time"


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
        raise StudyError(f"{study}: {_too_few(chosen, objective)}")
    epochs = epochs or _full_epochs(spec)
    evaluator = TrainingEvaluator(spec.space, dataset, objective, epochs)
    pairs = _in_full(evaluator, chosen, spec, log)
    if len(pairs) < LEAST:
        raise StudyError(f"{study}: only {len(pairs)} of {len(chosen)} trials could be trained in full; {LEAST} are needed")
    found = _fidelity(objective.metric, pairs, epochs)
    write_json(study / FILE, asdict(found))
    return found


def keep_fidelity(study: Path, dataset: Path, log: Log) -> None:
    """Measure the fidelity that the study's search file asks for (`final.fidelity`), unless that is there from before.

    `log` is told where fewer than three trials can be ranked, or trained in full: the search is worth no less for it.
    """
    with Record.read(study) as record:
        count = study_spec(record).file.final.fidelity
    if not count:
        return
    spec, objective, chosen = _chosen(study, dataset, count)
    known = read_fidelity(study)
    if known and (known.trials, known.epochs) == ([trial.number for trial in chosen], _full_epochs(spec)):
        return
    if len(chosen) < LEAST:
        log(f"fidelity is not measured: {_too_few(chosen, objective)}")
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
    """Return so many of the trials, evenly from the best to the worst.

    A stopped trial ranks by what it had come to, as strategies see it: survivors alone would not tell what was thrown away.
    """
    told = [trial for trial in trials if trial.state in (State.FINISHED, State.STOPPED) and metric in trial.metrics]
    ranked = sorted(told, key=lambda trial: trial.metrics[metric])
    if len(ranked) <= count:
        return ranked
    return [ranked[round(place * (len(ranked) - 1) / (count - 1))] for place in range(count)]


def _too_few(chosen: Sequence[Trial], objective: Objective) -> str:
    told = "1 trial" if len(chosen) == 1 else f"{len(chosen)} trials"
    return f"{told} came to a {objective.metric}; {LEAST} are needed"


def _in_full(evaluator: TrainingEvaluator, chosen: Sequence[Trial], spec: Spec, log: Log) -> list[tuple[Trial, Trial]]:
    """Return each trial beside what a full training makes of it, those left out whose full training fails."""
    metric, pairs = evaluator.objective.metric, list[tuple[Trial, Trial]]()
    for trial in chosen:
        try:
            full = _trained(evaluator, trial, spec)
        except TrialFailed as error:
            log(f"trial {trial.number} could not be trained in full, and is left out: {error}")
            continue
        stopped = " when it was stopped" if trial.state is State.STOPPED else ""
        log(f"trial {trial.number}: {metric} {trial.metrics[metric]:.4g}{stopped}, in full {full.metrics[metric]:.4g}")
        pairs.append((trial, full))
    return pairs


def _trained(evaluator: TrainingEvaluator, trial: Trial, spec: Spec) -> Trial:
    """Return the trial as a full training ends it; raises TrialFailed."""
    started, seed = time.monotonic(), trial_seed(spec.seed, trial.number)
    with tempfile.TemporaryDirectory() as folder:
        context = Context(trial.number, seed, Path(folder), lambda *_: None, spec.file.resources.memory)
        metrics = evaluator.evaluate(trial.candidate, context)
    return replace(trial, state=State.FINISHED, metrics=metrics, seconds=time.monotonic() - started, facts=context.facts)


def _fidelity(metric: str, pairs: Sequence[tuple[Trial, Trial]], epochs: int) -> Fidelity:
    trials, trained = [trial for trial, _ in pairs], [full for _, full in pairs]
    compared, full = ([trial.metrics[metric] for trial in side] for side in (trials, trained))
    # A trial's whole time has its start, its export and measurements in it, which the full trainings here do without.
    timed = FIT if all(FIT in trial.facts for trial in (*trials, *trained)) else WHOLE
    return Fidelity(
        *(metric, [trial.number for trial in trials], compared, full, _correlation(compared, full), epochs),
        seconds=_average(trials, timed),
        full_seconds=_average(trained, timed),
        stopped=[trial.number for trial in trials if trial.state is State.STOPPED],
        timed=timed,
    )


def _average(trials: Sequence[Trial], timed: str) -> float:
    return sum(trial.facts[FIT] if timed == FIT else trial.seconds for trial in trials) / len(trials)


def _correlation(compared: list[float], full: list[float]) -> float | None:
    if not np.ptp(compared) or not np.ptp(full):
        return None
    return float(spearmanr(compared, full)[0])  # pyright: ignore[reportArgumentType]
