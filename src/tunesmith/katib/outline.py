"""What the Katib Experiment of a search is made of, and the labels by which it and its pods are found."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.spaces._space import Candidate
from tunesmith.study import EarlierStudy, Trial

LABEL = "tunesmith.io/experiment"
STUDY_LABEL = "tunesmith.io/study"


@dataclass(frozen=True)
class Outline:
    """What an Experiment is made of.

    `content`: the study's, its space fitted to the data. `trials`: how many it may run, `offset`: the number of its first.
    `earlier`: trials of the study that have ended, `first`: candidates to be tried first, `studies`: others to learn from.
    `study`, `dataset`, `code`: storage URIs, empty where there is none. `kin`: whether proposals may name the trial that they
    were edited from.
    """

    name: str
    namespace: str
    study_id: str
    content: Mapping[str, Any]
    objective: Objective
    trials: int
    parallel: int
    image: str
    study: str
    dataset: str = ""
    code: str = ""
    offset: int = 0
    earlier: Sequence[Trial] = ()
    first: Sequence[Candidate] = ()
    others: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    studies: Sequence[EarlierStudy] = ()
    kin: bool = False

    @property
    def aims(self) -> Aims:
        """The objectives and the constraints."""
        return Aims((self.objective, *self.others), self.constraints)


def label(name: str, namespace: str) -> str:
    """Return what marks an Experiment and its pods: Katib mixes up experiments of one name in two namespaces without it."""
    return f"{name}-{hashlib.sha256(namespace.encode()).hexdigest()[:8]}"


def compact(content: Any) -> str:
    """Return plain data as JSON without spaces."""
    return json.dumps(content, separators=(",", ":"))
