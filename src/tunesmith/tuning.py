"""A study after a study: how the winner of a search for architectures is trained, searched at its full size."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.data.info import DatasetInfo
from tunesmith.engines._engine import Progress
from tunesmith.errors import SpecError
from tunesmith.evaluation._measured import trained_by
from tunesmith.files import whole_folder
from tunesmith.record import Record
from tunesmith.search import Outcome, outcome, search, spec_aims, study_spec
from tunesmith.spaces._capabilities import Tunable
from tunesmith.spaces._space import Candidate
from tunesmith.spec import Spec, parse_spec

if TYPE_CHECKING:
    from tunesmith.engines.katib import Place

# What a search for architectures asks for that means nothing once there is one.
LEFT_OUT = ("scheduler", "constraints", "warm_start", "final")


def tune(
    study: Path,
    dataset: Path,
    folder: Path,
    trials: int,
    epochs: int | None = None,
    progress: Progress | None = None,
    engine: str = "local",
    place: "Place | None" = None,
) -> Outcome:
    """Search, in the study `folder`, how the winner of `study` is trained; its own training, as it was found, is tried first.

    epochs: of each trial at most; without it those of `study`'s trials. engine, place: where the trials run, as for `search`.
    With no trials at all `folder` becomes a copy of `study`. Raises StudyError where `study` has no winner, SpecError where its
    space knows no training apart.
    """
    if trials == 0:
        with whole_folder(folder) as copy:
            shutil.copytree(study, copy, dirs_exist_ok=True)
        with Record.read(folder) as record:
            return outcome(record, spec_aims(study_spec(record).for_data(DatasetInfo.load(dataset))))
    spec, found = tuning_of(study, DatasetInfo.load(dataset), trials, epochs)
    return search(spec, folder, dataset, progress, engine, place, [found])


def tuning_of(study: Path, info: DatasetInfo, trials: int, epochs: int | None = None) -> tuple[Spec, Candidate]:
    """Return the search of trainings of the study's winner, and the training that it had."""
    with Record.read(study) as record:
        spec, content = study_spec(record).for_data(info), record.content
        best = outcome(record, spec_aims(spec)).best
    if not isinstance(spec.space, Tunable):
        raise SpecError(f"space.kind: {content['space']['kind']!r} has no training of its own to tune; set no trials for it")
    space, found = spec.space.tuned(best.candidate)
    asked = {"space": space.to_json(), "strategy": {"name": "auto", "seed": spec.seed}}
    kept = {name: value for name, value in content.items() if name not in LEFT_OUT}
    judged = {"evaluation": _evaluation(content["evaluation"], epochs), "budget": _budget(content["budget"], trials)}
    objective = trained_by(spec_aims(spec))
    aims = {"objectives": [{"metric": objective.metric, "goal": objective.goal}]}
    return parse_spec({**kept, **asked, **judged, **aims}, "tuning"), found


def _evaluation(asked: Mapping[str, Any], epochs: int | None) -> dict[str, Any]:
    patience = {"early_stopping": asked["early_stopping"]} if asked.get("early_stopping") else {}
    return {"epochs": epochs or asked["epochs"], **patience}


def _budget(asked: Mapping[str, Any], trials: int) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name != "hours"} | {"trials": trials}
