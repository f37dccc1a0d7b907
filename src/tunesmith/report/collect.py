"""Collects what a report shows from the folders of a run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.advice.advise import advise_on
from tunesmith.aims import Aims
from tunesmith.foresight import foresight, foretold, unlooked
from tunesmith.ranking import best_trial
from tunesmith.record import Record
from tunesmith.report.content import ReportContent
from tunesmith.spaces._capabilities import Pictured, spaces_with
from tunesmith.spec import build_space, parse_spec
from tunesmith.study import Trial


def collect(
    study: Path,
    dataset: Path | None = None,
    model: Path | None = None,
    evaluation: Path | None = None,
    exports: Path | None = None,
) -> ReportContent:
    """Return the content of a report on the study's folder and whatever else there is of its run.

    Raises StudyError where there is no study. A study under way is shown as far as it has come.
    """
    with Record.read(study) as record:
        content, trials, curves, seconds = record.content, record.trials(), record.curves(), record.seconds
        strategy = record.strategy
    aims = Aims.of(content)
    return ReportContent(
        title=_title(content),
        spec=content,
        objective=aims.objectives[0],
        trials=trials,
        curves=curves,
        network=_read(model, "network.json"),
        evaluation=_read(evaluation, "evaluation.json"),
        exports=_read(exports, "export.json"),
        dataset=_read(dataset, "dataset.json"),
        seconds=seconds,
        advice=advise_on(content, trials).to_json() if trials else None,
        others=aims.objectives[1:],
        constraints=aims.constraints,
        strategy=strategy,
        fidelity=_read(study, "fidelity.json"),
        **_ranked_beforehand(content, trials, study),
        pictures=_pictures(content, best_trial(trials, aims)),
    )


def _ranked_beforehand(content: dict[str, Any], trials: list[Trial], study: Path) -> dict[str, Any]:
    """Return how well strategy and proxies ranked."""
    if content["space"]["kind"] == "code":
        return {"foresight": unlooked(content["strategy"]["name"])}
    spec = parse_spec(content, str(study))
    return {"foresight": foresight(spec, trials), "foretold": foretold(spec, trials)}


def _pictures(content: dict[str, Any], best: Trial | None) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Return what the best candidate is made of, where the space's candidates are drawn."""
    if best is None or content["space"]["kind"] not in spaces_with(Pictured):
        return {}
    space = build_space(content["space"])
    assert isinstance(space, Pictured)
    return dict(space.pictures(best.candidate))


def _title(content: dict[str, Any]) -> str:
    if "data" in content:
        return Path(content["data"]["uri"]).name
    return content["evaluation"].get("function", "search").rpartition(":")[2]


def _read(folder: Path | None, name: str) -> Any:
    path = folder / name if folder else None
    return json.loads(path.read_text()) if path and path.is_file() else None
