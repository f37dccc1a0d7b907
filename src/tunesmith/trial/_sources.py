"""Brings what a trial needs from the storage to its pod: prepared data, a user's function, the model that it goes on with."""

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith import storage
from tunesmith.code import load_function, source_hash
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import DataError, SpecError, StorageError
from tunesmith.evaluation._context import CHECKPOINT, Context, Evaluator
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.spaces._space import Candidate
from tunesmith.trial._archive import CANDIDATE
from tunesmith.trial._assignment import Assignment


@dataclass(frozen=True)
class PodFunction(Evaluator):
    """A user's function (`file.py:function` in `folder`) that only the worker loads, since what it imports may be large.

    `sha256`: of its code as the study knows it. The worker raises SpecError where that is another one.
    """

    place: str
    folder: Path
    sha256: str
    metric: str

    def evaluate(self, candidate: Candidate, context: Context) -> dict[str, float]:
        return load_evaluator(self.place, self.folder, self.sha256, self.metric).evaluate(candidate, context)

    def __reduce__(self) -> tuple[Any, ...]:
        """Arrive at the worker as the loaded function, so that loading it is no part of the trial."""
        return load_evaluator, (self.place, self.folder, self.sha256, self.metric)


def load_evaluator(place: str, folder: Path, sha256: str, metric: str) -> FunctionEvaluator:
    """Load the function; raises SpecError where it cannot be loaded or is not that of the study."""
    # The files beside it are there to be imported.
    sys.path.insert(0, str(folder))
    function = load_function(place, "evaluation.function", folder)
    found = source_hash(function)
    if sha256 and found != sha256:
        raise SpecError(f"evaluation.function: {place} here ({found}) is not the study's ({sha256}); was it edited?")
    return FunctionEvaluator(function, metric)


@dataclass(frozen=True)
class Source:
    """A folder at the storage that a trial needs; '' is none. Its copy is at `folder`, once it has been fetched.

    `fingerprint`: of the data that must be in it, '' for other content.
    """

    uri: str
    cache: Path
    key: str
    fingerprint: str = ""

    @property
    def folder(self) -> Path:
        """Where the copy is, or will be."""
        return storage.local_place(self.uri, self.cache, self.key) if self.uri else self.cache

    def fetch(self) -> None:
        """Copy it, unless it is here; raises DataError where it holds other data."""
        if not self.uri:
            return
        folder = storage.local_copy(self.uri, self.cache, self.key)
        if not self.fingerprint:
            return
        found = DatasetInfo.load(folder).fingerprint
        if found != self.fingerprint:
            if folder.is_relative_to(self.cache):
                shutil.rmtree(folder, ignore_errors=True)
            raise DataError(f"{self.uri}: holds the data {found}, the study is of {self.fingerprint}")


def source_of(assignment: Assignment, work: Path) -> Source:
    """Return the prepared data or the function's folder; data are copied to a cache, code to `work`."""
    if assignment.spec.file.evaluation.kind == "function":
        return Source(assignment.code, work, "code")
    # In a pod the temporary folder is often the only one that can be written to.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or tempfile.gettempdir()) / "tunesmith" / "data"
    fingerprint = assignment.spec.file.data.fingerprint if assignment.spec.file.data else None
    return Source(
        assignment.dataset, cache, fingerprint or hashlib.sha256(assignment.dataset.encode()).hexdigest(), fingerprint or ""
    )


def fetch_parent(study: str, number: int, folder: Path) -> bool:
    """Copy a trial's candidate and model from a study's storage to `folder`; tells whether there were both."""
    uri = storage.join(study, "trials", str(number))
    try:
        for name in (CANDIDATE, CHECKPOINT):
            storage.download(storage.join(uri, name), folder / name)
    except StorageError:
        # Of the trials only the best keep their models, and this one may just have given way.
        if storage.exists(storage.join(uri, CHECKPOINT)):
            raise
        return False
    return True


def make_evaluator(assignment: Assignment, folder: Path) -> Evaluator:
    """Return what judges the candidate, given where its source will be."""
    evaluation, aims = assignment.spec.file.evaluation, assignment.aims
    if evaluation.kind == "function":
        return PodFunction(evaluation.function or "", folder, evaluation.sha256 or "", aims.objectives[0].metric)
    spec = assignment.spec
    return TrainingEvaluator.for_aims(spec.compared, folder, aims, evaluation, spec.space)
