"""An architecture by itself: a space and one of its candidates, as a file that is shown, drawn, built and carried elsewhere."""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError, StudyError
from tunesmith.evaluation._available import available_bytes
from tunesmith.evaluation._describe import describe_network
from tunesmith.evaluation._network import save_model
from tunesmith.evaluation._session import fresh_session, memory_errors
from tunesmith.files import write_json, write_text
from tunesmith.record import Record
from tunesmith.registry import discover
from tunesmith.report.network import draw_network
from tunesmith.search import outcome, spec_aims, study_spec
from tunesmith.spaces._capabilities import SPACES, Costed, Pictured, Scalable, Tunable, spaces_with
from tunesmith.spaces._space import Candidate, Space
from tunesmith.spaces._training import Foreseeable, Trainable
from tunesmith.spec import build_space
from tunesmith.summary import study_folder

if TYPE_CHECKING:
    import keras

VERSION = 1
KEYS = ("version", "space", "candidate")
# Bytes that a weight takes at the peak: while the weights get their first values, and while they are written to a file.
BUILT, WRITTEN = 8, 12
SAMPLES = 8


@dataclass(frozen=True)
class Architecture:
    """A candidate and the space that knows what it stands for."""

    space: Space
    candidate: Candidate

    def to_json(self) -> dict[str, Any]:
        """Return the form that `read_architecture` reads."""
        return {"version": VERSION, "space": self.space.to_json(), "candidate": dict(self.candidate)}

    def save(self, path: Path) -> None:
        """Write the architecture to a JSON file."""
        write_json(path, self.to_json())

    def resized(self, sizes: Mapping[str, int]) -> "Architecture":
        """Return the same with other sizes; raises SpecError where the space has none, or not these."""
        if not sizes:
            return self
        if not isinstance(self.space, Scalable):
            raise SpecError(f"{self._kind}: its networks come in one size; sizes are for: {', '.join(spaces_with(Scalable))}")
        return replace(self, space=self.space.resized(sizes))

    def described(self, info: DatasetInfo) -> dict[str, Any]:
        """Return what is known of its network for such data without making it: weights, multiplications, outputs."""
        if not isinstance(self.space, Costed):
            return {}
        space = self.space.fit_to(info)
        costs = space.costs(self.candidate, info)  # pyright: ignore[reportAttributeAccessIssue]
        return {"parameters": costs.trained + costs.averages, "macs": costs.macs, "activations": costs.activations}

    def pictures(self) -> dict[str, Sequence[Mapping[str, Any]]]:
        """Return by name what can be drawn of it without data; nothing where the space has no such parts."""
        return dict(self.space.pictures(self.candidate)) if isinstance(self.space, Pictured) else {}

    def build(self, info: DatasetInfo, bytes_each: int = BUILT) -> "keras.Model":
        """Return its untrained network for such data; raises SpecError where that cannot be, or memory does not suffice.

        bytes_each: what a weight will take of memory, by what is done with the network.
        """
        space = self.space.fit_to(info)
        if not isinstance(space, Trainable):
            raise SpecError(f"{self._kind}: makes no networks; those that do: {', '.join(spaces_with(Trainable))}")
        if isinstance(space, Foreseeable):
            self._check_room(space.estimate(self.candidate, info).parameters, bytes_each)
        return space.network(self.candidate, info).model

    def _check_room(self, parameters: int, bytes_each: int) -> None:
        needed, left = parameters * bytes_each, available_bytes()
        if needed > left:
            raise SpecError(
                f"{self._kind}: its network of {parameters:,} parameters needs about {math.ceil(needed / 2**20):,} MiB "
                f"to be built, and {left // 2**20:,} MiB are available"
            )

    def transferred(self, uri: str) -> dict[str, Any]:
        """Return the search file that trains it on other data, and searches how; raises SpecError where it is not apart."""
        if not isinstance(self.space, Tunable):
            raise SpecError(f"{self._kind}: cannot be carried to other data; those that can: {', '.join(spaces_with(Tunable))}")
        space, _ = self.space.tuned(self.candidate)
        return {"data": {"uri": uri}, "space": space.to_json()}

    @property
    def _kind(self) -> str:
        return f"space.kind {self.space.to_json()['kind']!r}"


def load_architecture(source: Path, trial: int | None = None) -> Architecture:
    """Read an architecture's file, or take that of a study's winner, or of one of its trials.

    source: a JSON file, or the folder of a run or study. Raises SpecError for a file that holds none, StudyError for a study
    without that trial.
    """
    if source.is_dir():
        return _of_study(study_folder(source), trial)
    if trial is not None:
        raise SpecError(f"--trial: is for a study; {source} is a file")
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{source}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise SpecError(f"{source}: is no JSON file") from None
    try:
        return read_architecture(content)
    except SpecError as error:
        raise SpecError("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None


def read_architecture(content: object) -> Architecture:
    """Read the JSON form; raises SpecError naming what is not as it should be."""
    if not isinstance(content, Mapping):
        raise SpecError(f"got {content!r}; an architecture is a dictionary with: {', '.join(KEYS)}")
    for key in KEYS:
        if key not in content:
            raise SpecError(f"{key}: is missing; an architecture has: {', '.join(KEYS)}")
    if content["version"] != VERSION:
        raise SpecError(f"version: got {content['version']!r}; this version of Tunesmith reads {VERSION}")
    for key in ("space", "candidate"):
        if not isinstance(content[key], Mapping):
            raise SpecError(f"{key}: got {content[key]!r}; needs a dictionary")
    space = build_space(content["space"])
    _refuse_stranger(space, content["candidate"])
    space.realize(content["candidate"])
    return Architecture(space, dict(content["candidate"]))


def draw_architecture(architecture: Architecture, info: DatasetInfo, folder: Path) -> list[Path]:
    """Write a drawing of each of its parts and of its network for such data, as SVG files; returns their paths."""
    drawn = {**architecture.pictures(), "network": describe_network(architecture.build(info))}
    paths = []
    for name, layers in drawn.items():
        paths.append(folder / f"{name.replace(' ', '_')}.svg")
        folder.mkdir(parents=True, exist_ok=True)
        write_text(paths[-1], draw_network(layers))
    return paths


def save_built(architecture: Architecture, info: DatasetInfo, path: Path) -> int:
    """Write its untrained network for such data to a Keras file; returns the number of its parameters.

    Raises SpecError, or TrialFailed where the space cannot tell before, for a network that the memory does not suffice for.
    """
    with fresh_session(), memory_errors():
        model = architecture.build(info, WRITTEN)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_model(model, path)
        return model.count_params()


def _refuse_stranger(space: Space, candidate: Candidate) -> None:
    """Raise SpecError for a candidate of another space: one that has none of this one's parameters."""
    # A user's function is not run more often than it has to be.
    known = _parameters(space) if space.quick else set()
    if not candidate or not known or known & set(candidate):
        return
    kinds = _kinds_of(set(candidate))
    likely = f"; they look like those of space.kind {' or '.join(kinds)}" if kinds else ""
    names = ", ".join([*candidate][:3]) + (", ..." if len(candidate) > 3 else "")
    raise SpecError(f"candidate: none of its parameters ({names}) is one of space.kind {space.to_json()['kind']!r}{likely}")


def _parameters(space: Space) -> set[str]:
    """Return the names of a space's parameters; of those that hang on others' values what a few samples show."""
    rng = np.random.default_rng(0)
    return {name for _ in range(SAMPLES) for name in space.sample(rng)}


def _kinds_of(names: set[str]) -> list[str]:
    """Return the kinds of spaces that, as they are by default, have the most of these parameters."""
    shared: dict[str, int] = {}
    for kind in discover(SPACES):
        with suppress(SpecError):  # it is nothing without settings
            shared[kind] = len(names & _parameters(build_space({"kind": kind})))
    most = max(shared.values())
    return [kind for kind, count in shared.items() if count == most > 0]


def _of_study(folder: Path, number: int | None) -> Architecture:
    with Record.read(folder) as record:
        spec = study_spec(record)
        if number is None:
            return Architecture(spec.space, outcome(record, spec_aims(spec)).best.candidate)
        found = next((trial for trial in record.trials() if trial.number == number), None)
    if found is None:
        raise StudyError(f"{folder}: has no trial {number}")
    return Architecture(spec.space, found.candidate)
