"""Reads a pipeline's parameters as a search file, so that a mistake is told before the first step starts.

Pipelines whose parameters have the names below are checked; other parameters are the pipeline's own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.comparison import AUTO, check_comparison
from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean, discover, explain
from tunesmith.search import make_scheduler
from tunesmith.sections import DataSpec
from tunesmith.spec import Spec, parse_spec

PLACES = {
    "data_uri": "data.uri",
    "task": "data.task",
    "target_column": "data.target",
    "validation_share": "data.validation",
    "test_share": "data.test",
    "split": "data.split",
    "dataset_fingerprint": "data.fingerprint",
    "search_space": "space",
    "strategy": "strategy.name",
    "trial_scheduler": "scheduler.name",
    "trials": "budget.trials",
    "parallel_trials": "budget.parallel",
    "search_time_limit_hours": "budget.hours",
    "epochs_per_trial": "evaluation.epochs",
    "early_stopping_patience": "evaluation.early_stopping.patience",
    "training_examples": "evaluation.examples",
    "training_share": "evaluation.share",
    "training_by": "evaluation.by",
    "search_size": "evaluation.size",
    "objectives": "objectives",
    "constraints": "constraints",
    "tune_trials": "final.tune",
    "fidelity_trials": "final.fidelity",
    "final_epochs": "final.epochs",
    "trial_memory_limit": "resources.memory",
    "trial_time_limit_seconds": "resources.seconds",
    "gpus_per_trial": "resources.gpu",
    "cpus_per_trial": "resources.cpu",
    "gpu_hours_limit": "budget.gpu_hours",
    "cluster": "cluster",
}
# A form has no way to leave a field out: these values say that nothing is asked for.
UNSET = {
    "target_column": "",
    "split": "random",
    "dataset_fingerprint": "",
    "trial_scheduler": "none",
    "search_time_limit_hours": 0,
    "early_stopping_patience": 0,
    "training_examples": "all",
    "training_share": 1,
    "training_by": "classes",
    "search_size": {},
    "objectives": [],
    "constraints": [],
    "final_epochs": 0,
    "trial_memory_limit": "",
    "trial_time_limit_seconds": 0,
    "gpu_hours_limit": 0,
}
ENGINES = ("local", "katib")
SEED = "random_seed"
GATES = {"min_test_accuracy": "classification", "min_test_r2": "regression"}


def search_content(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the search file's content that a pipeline's parameters stand for."""
    content: dict[str, Any] = {}
    for name, place in PLACES.items():
        if name in arguments and arguments[name] != UNSET.get(name):
            _put(content, place, with_whole_numbers(arguments[name]))
    for section in {"data", "strategy"} & content.keys():
        if SEED in arguments:
            _put(content, f"{section}.seed", with_whole_numbers(arguments[SEED]))
    return content


def data_spec(arguments: Mapping[str, Any]) -> DataSpec:
    """Return the data section that a pipeline's parameters stand for; raises SpecError naming the parameters."""
    try:
        return DataSpec.model_validate(search_content(arguments)["data"])
    except ValidationError as error:
        raise SpecError(_in_parameters(explain(error, "data", list(DataSpec.model_fields)))) from None


def search_spec(arguments: Mapping[str, Any], warm_start: Path | None = None) -> Spec:
    """Check what a pipeline's parameters ask for; raises SpecError naming the parameters.

    warm_start: the folder of an earlier study, whose best candidates are tried first.
    """
    content = search_content(arguments)
    if warm_start:
        # The name alone, since where a step finds its input is another place each time and would make it another study.
        content["warm_start"] = [warm_start.name]
    try:
        spec = parse_spec(content, "", warm_start.parent if warm_start else Path())
        make_scheduler(spec)
    except SpecError as error:
        raise SpecError(_in_parameters(str(error))) from None
    return spec


def check(arguments: Mapping[str, Any]) -> None:
    """Raise SpecError for the first mistake in a pipeline's arguments that can be seen without running it."""
    if "search_space" in arguments:
        search_spec(arguments)
    if arguments.get("engine", ENGINES[0]) not in ENGINES:
        raise SpecError(f"engine: {arguments['engine']!r} is unknown; allowed: {', '.join(ENGINES)}")
    _check_gates(arguments)
    _check_formats(arguments.get("export_formats"))
    if "registry_uri" in arguments:
        _check_promotion(arguments)


def with_whole_numbers(value: Any) -> Any:
    """Turn 2.0 into 2, at any depth: Kubeflow sends the numbers of lists and dictionaries as floats."""
    if isinstance(value, Mapping):
        return {key: with_whole_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _put(content: dict[str, Any], place: str, value: Any) -> None:
    *sections, key = place.split(".")
    for section in sections:
        content = content.setdefault(section, {})
    content[key] = value


def _in_parameters(message: str) -> str:
    """Write the paths of the search file as the names of the parameters that they came from."""
    return "\n".join(_in_parameter(line.removeprefix(": ")) for line in message.splitlines())


def _in_parameter(line: str) -> str:
    places = {**{place: name for name, place in PLACES.items()}, "data.seed": SEED, "strategy.seed": SEED}
    places["scheduler"] = "trial_scheduler"
    for place in sorted(places, key=len, reverse=True):
        rest = line.removeprefix(place)
        if rest != line and rest[:1] in (":", "."):
            return places[place] + rest
    return line


def _check_gates(arguments: Mapping[str, Any]) -> None:
    for name, task in GATES.items():
        limit, asked = arguments.get(name, 0), arguments.get("task", "auto")
        if not limit <= 1 or (name == "min_test_accuracy" and limit < 0):
            raise SpecError(f"{name}: got {limit!r}; needs a number up to 1, such as 0.9, or 0 to ask nothing")
        if limit and asked not in ("auto", task):
            other = next(gate for gate, needs in GATES.items() if needs == asked)
            raise SpecError(f"{name}: is for a {task}, task is {asked!r}; use {other}")


def _check_formats(formats: object) -> None:
    allowed = discover("tunesmith.export")
    if formats is None:
        return
    if not isinstance(formats, list) or not formats:
        raise SpecError(f"export_formats: got {formats!r}; needs a list of: {', '.join(allowed)}")
    for name in formats:
        if name not in allowed:
            raise SpecError(f"export_formats: {name!r} is unknown; allowed: {', '.join(allowed)}{did_you_mean(name, allowed)}")


def _check_promotion(arguments: Mapping[str, Any]) -> None:
    if not arguments["registry_uri"]:
        raise SpecError("registry_uri: is missing; needs a storage URI such as s3://bucket/models, or a folder's path")
    check_comparison(arguments.get("compare_by", AUTO), arguments.get("margin", 0.0))
