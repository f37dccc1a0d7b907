"""What a trial's pod is told to do, by its environment."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.aims import Aims, Objective
from tunesmith.errors import SpecError
from tunesmith.katib import environment as names
from tunesmith.katib.candidate import NO_PARENT, decode, decode_parent, issue_number
from tunesmith.schedulers._scheduler import StopRule
from tunesmith.spaces._space import Candidate
from tunesmith.spec import Spec, parse_spec

NEEDED = (names.SPEC, names.CANDIDATE, names.TRIAL, names.STUDY)


@dataclass(frozen=True)
class Assignment:
    """One candidate to be evaluated.

    `name` is the trial's; `study`, `dataset` and `code` are storage URIs, the latter two empty where there is none. `parent`:
    the number of the trial that the candidate was edited from.
    """

    name: str
    number: int
    candidate: Candidate
    spec: Spec
    objective: Objective
    rule: StopRule
    study: str
    dataset: str
    code: str
    db_manager: str
    parent: int | None = None

    @property
    def aims(self) -> Aims:
        """The objectives and the constraints."""
        return Aims((self.objective, *self.spec.others), self.spec.constraints)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Assignment":
        """Read the variables; raises SpecError naming those that are missing or damaged."""
        told = {name: value for name, value in environ.items() if value}
        missing = [name for name in NEEDED if name not in told]
        if missing:
            raise SpecError(
                f"{', '.join(missing)}: not set; `tunesmith trial` runs in the pods of `tunesmith search --engine katib`, "
                "which sets it for them"
            )
        spec = _spec(told[names.SPEC])
        if spec.objective is None:
            raise SpecError(f"{names.SPEC}: names no objective")
        dataset, code = told.get(names.DATASET, ""), told.get(names.CODE, "")
        _check_sources(spec, dataset, code)
        return cls(
            *(told[names.TRIAL], _number(told[names.TRIAL]), _candidate(told[names.CANDIDATE]), spec, spec.objective),
            rule=_rule(told.get(names.STOP_RULE, "")),
            study=told[names.STUDY],
            dataset=dataset,
            code=code,
            db_manager=told.get(names.DB_MANAGER, names.DEFAULT_DB_MANAGER),
            parent=_parent(told.get(names.PARENT, NO_PARENT)),
        )


def _spec(text: str) -> Spec:
    try:
        content: Any = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise SpecError(f"{names.SPEC}: got {text[:40]!r}…; needs base64url of a study's content as JSON") from None
    if isinstance(content, dict) and isinstance(content.get("strategy"), dict):
        # It has proposed already; the libraries of some are large. Of its settings a trial needs the seed.
        content = content | {"strategy": {"name": "random", "seed": content["strategy"].get("seed", 0)}}
    return parse_spec(content, names.SPEC)


def _number(name: str) -> int:
    number = issue_number(name)
    if number is None:
        raise SpecError(f"{names.TRIAL}: got {name!r}; needs a trial's name with its number, such as study-0003-01ab23cd")
    return number


def _candidate(text: str) -> Candidate:
    try:
        return decode(text)
    except SpecError as error:
        raise SpecError(f"{names.CANDIDATE}: {error}") from None


def _rule(text: str) -> StopRule:
    try:
        return StopRule.decode(text) if text else StopRule()
    except SpecError as error:
        raise SpecError(f"{names.STOP_RULE}: {error}") from None


def _parent(text: str) -> int | None:
    try:
        return decode_parent(text)
    except SpecError as error:
        raise SpecError(f"{names.PARENT}: {error}") from None


def _check_sources(spec: Spec, dataset: str, code: str) -> None:
    """Raise SpecError where what the evaluation needs is not said."""
    evaluation = spec.file.evaluation
    if evaluation.kind == "training" and not dataset:
        raise SpecError(f"{names.DATASET}: not set; a training needs the URI of a prepared data set")
    source = (evaluation.function or "").rpartition(":")[0]
    if evaluation.kind == "function" and source.endswith(".py") and not code:
        raise SpecError(f"{names.CODE}: not set; {evaluation.function} needs the URI of its folder")
