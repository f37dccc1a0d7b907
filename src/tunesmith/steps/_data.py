"""The step that prepares data."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.data.info import DatasetInfo
from tunesmith.files import write_json
from tunesmith.pipeline_run.arguments import data_spec
from tunesmith.pipeline_run.local_step import step, step_console

# The pipeline's parameters by which a data set was prepared, kept in its folder for the search's record.
ARGUMENTS = "arguments.json"


@step
def prepare_step(dataset: Path, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare the data that the pipeline's `arguments` name into the folder `dataset`; returns what describes it."""
    from tunesmith.data.prepare import prepare

    info = prepare(data_spec(arguments), dataset)
    write_json(dataset / ARGUMENTS, dict(arguments))
    sizes = ", ".join(f"{count} {split}" for split, count in info.sizes.items())
    step_console().print(f"{info.kind}, {info.task}, {sizes}", highlight=False)
    described = {"kind": info.kind, "task": info.task, "fingerprint": info.fingerprint, "source": info.source}
    return {**described, **{f"{split}_examples": count for split, count in info.sizes.items()}}


def data_arguments(dataset: Path, info: DatasetInfo) -> dict[str, Any]:
    """Return how a data set was prepared; of one prepared elsewhere only its source and task are known."""
    path = dataset / ARGUMENTS
    return json.loads(path.read_text()) if path.exists() else {"data_uri": info.source, "task": info.task}
