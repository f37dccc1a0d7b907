"""Evaluates one candidate in a pod of the cluster: the whole of `tunesmith trial`.

This process stays light; a worker process evaluates, under the limits of the spec and the eyes of this one. Every step goes
to Katib's database; candidate, log, model and, last, the outcome go to the study's storage.
"""

import signal
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from tunesmith import storage
from tunesmith.engines._engine import Limits, judged
from tunesmith.engines._loop import Ended
from tunesmith.engines._processes import Processes
from tunesmith.errors import ClusterError, StorageError, TunesmithError
from tunesmith.files import write_json
from tunesmith.katib.job import ATTEMPTS
from tunesmith.record import Curve
from tunesmith.study import State, Trial
from tunesmith.trial._archive import Archive
from tunesmith.trial._assignment import Assignment
from tunesmith.trial._reports import Reports
from tunesmith.trial._sources import fetch_parent, make_evaluator, source_of

DONE, BAD_CANDIDATE, TERMINATED = 0, 3, 143
STORAGE_PATIENCE_SECONDS = 120.0
# A failed trial's metrics are no result: its pod does not stay for them.
FAILED_PATIENCE_SECONDS = 5.0
# Kubernetes makes it in every container, and shows what is written there as the reason of the container's end.
TERMINATION_LOG = Path("/dev/termination-log")
LONGEST_MESSAGE = 2000
LOG_LINES = 30

Tell = Callable[[str], None]


def run_trial(environ: Mapping[str, str], tell: Tell) -> int:
    """Evaluate the candidate that the environment tells; returns the exit code: 0, or 3 for a candidate that failed.

    Raises SpecError for a damaged environment, StorageError and ClusterError where storage or database stay away, and
    SystemExit with 143 on SIGTERM. `tell` takes what the pod's log is to show.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        assignment = Assignment.read(environ)
        with storage.patient(STORAGE_PATIENCE_SECONDS), tempfile.TemporaryDirectory(prefix="tunesmith-trial-") as work:
            return _Run(assignment, Path(work), tell).run()
    except TunesmithError as error:
        _leave_message(str(error))
        raise


class _Run:
    def __init__(self, assignment: Assignment, work: Path, tell: Tell) -> None:
        self.assignment, self.work, self.tell = assignment, work, tell
        uri = storage.join(assignment.study, "trials", str(assignment.number))
        self.archive = Archive(uri, assignment.number, assignment.candidate)
        self.reports = Reports(assignment.db_manager, assignment.name)
        self.curve: dict[int, dict[str, float]] = {}
        self.losses: list[float] = []

    def run(self) -> int:
        """Evaluate, unless an earlier pod has done it, and report the end."""
        source = source_of(self.assignment, self.work)
        resources = self.assignment.spec.file.resources
        limits = Limits(trials=1, memory=resources.memory, seconds=resources.seconds)
        evaluator = make_evaluator(self.assignment, source.folder)
        processes = Processes(evaluator, limits, self.assignment.spec.seed, self._folder, self.work / "workers.log")
        try:
            processes.warm_up()
            left = self.archive.open()
            if not isinstance(left, int):
                self.tell(f"{self.assignment.name} has ended in an earlier pod")
                return self._end(left)
            source.fetch()
            trial = self._evaluate(processes, left + 1)
        finally:
            processes.stop()
        self._keep(trial)
        return self._end(trial)

    def _folder(self, number: int) -> Path:
        return self.work / str(number)

    def _evaluate(self, processes: Processes, attempt: int) -> Trial:
        """Return the trial as it ended; a worker that was killed is replaced once."""
        self._folder(self.assignment.number).mkdir()
        self._fetch_parent()
        for last in range(attempt, attempt + ATTEMPTS):
            self.archive.begin(last)
            ended = self._attempt(processes, self._trial(last))
            if not ended.lost:
                break
            self.tell(ended.trial.reason)
        if ended.trial.state is State.RUNNING:
            raise StorageError(f"the pod's own disk: {ended.trial.reason}")
        return judged(ended.trial, self.assignment.aims)

    def _fetch_parent(self) -> None:
        """Put the trial that the candidate was edited from where its own trial looks for it."""
        parent = self.assignment.parent
        if parent is not None and not fetch_parent(self.assignment.study, parent, self._folder(parent)):
            self.tell(f"the model of trial {parent}, which this network was edited from, is not kept; it begins anew")

    def _trial(self, attempts: int) -> Trial:
        told = self.assignment
        return Trial(told.number, told.candidate, attempts=attempts, parent=told.parent)

    def _attempt(self, processes: Processes, trial: Trial) -> Ended:
        self.curve, self.losses = {}, []
        processes.start(trial)

        def on_report(_: int, step: int, metrics: dict[str, float]) -> str:
            return self._on_report(step, metrics, trial.attempts)

        while True:
            for ended in processes.wait(on_report, float("inf")):
                return ended

    def _on_report(self, step: int, metrics: dict[str, float], attempt: int) -> str:
        """Hand on the metrics of a step; returns why the trial should stop, or ''."""
        self.tell(f"step {step}: {_figures(metrics)}")
        self.curve[step] = metrics
        self.reports.add(metrics, attempt)
        objective = self.assignment.objective
        if objective.metric not in metrics:
            return ""
        self.losses.append(objective.loss(metrics[objective.metric]))
        return self.assignment.rule.verdict(self.losses)

    def _keep(self, trial: Trial) -> None:
        """Copy the trial's files to the storage."""
        folder = self._folder(trial.number)
        curve: Curve = sorted(self.curve.items())
        write_json(folder / "candidate.json", dict(trial.candidate))
        self.archive.keep(folder, trial, curve)
        log = folder / "log"
        if trial.state is State.FAILED and log.exists():
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]:
                self.tell(line)

    def _end(self, trial: Trial) -> int:
        """Report the trial's result to Katib; returns the exit code."""
        self.tell(f"{self.assignment.name} {trial.state}: {trial.reason or _figures(trial.metrics)}")
        if trial.state is State.FAILED:
            return self._fail(trial.reason)
        self.reports.add(trial.metrics)
        self.reports.close()
        return DONE

    def _fail(self, reason: str) -> int:
        _leave_message(reason)
        try:
            self.reports.close(FAILED_PATIENCE_SECONDS)
        except ClusterError as error:
            self.tell(str(error))
        return BAD_CANDIDATE


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(TERMINATED)


def _leave_message(message: str) -> None:
    """Let Kubernetes show why the container ended."""
    with suppress(OSError):
        if TERMINATION_LOG.exists():
            TERMINATION_LOG.write_text(message[:LONGEST_MESSAGE], encoding="utf-8")


def _figures(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
