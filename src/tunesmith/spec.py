"""The search file: one YAML document describes a search for every engine.

Every error names the file, the path, the value and what is allowed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationError

from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.registry import Checked, build, did_you_mean, discover, explain_one
from tunesmith.spaces._space import Space
from tunesmith.strategies._strategy import Strategy
from tunesmith.study import Objective
from tunesmith.yaml_text import read_yaml

UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "K": 10**3, "M": 10**6, "G": 10**9}


def parse_bytes(text: object) -> int:
    """Read a quantity of memory as Kubernetes writes it (`512Mi`, `8Gi`, bytes); raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|K|M|G)?", str(text))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"needs a quantity of memory such as 512Mi or 8Gi, not {text!r}")
    return int(float(match[1]) * UNITS[match[2] or ""])


Bytes = Annotated[int, BeforeValidator(parse_bytes)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(Checked):
    """A part of the search file; an unknown key is an error."""


class DataSpec(Section):
    """Where the examples come from and how they are split.

    `uri`: `digits`, or the path of a `.csv`, `.tsv` (also `.gz`) or `.npz` file. `target`: the label's column of a table.
    `validation` and `test`: shares of the whole; a file that brings a test split of its own keeps it. `fingerprint`:
    refuse any other content than that of this fingerprint.
    """

    uri: str
    task: Literal["auto", "classification", "regression"] = "auto"
    target: str | None = None
    validation: Fraction = 0.2
    test: Fraction = 0.2
    seed: int = Field(default=0, ge=0)
    fingerprint: str | None = None


class EarlyStopping(Section):
    """Ends a training when the validation score has not improved for `patience` epochs."""

    patience: int = Field(ge=1)


class EvaluationSpec(Section):
    """How a candidate is judged: `training` of a network, or a `function` of the user's (`file.py:function`).

    `sha256`: of the function's code, as a study records it.
    """

    kind: Literal["training", "function"] = "training"
    function: str | None = None
    sha256: str | None = None
    epochs: int = Field(default=20, ge=1)
    early_stopping: EarlyStopping | None = None


class BudgetSpec(Section):
    """What a search may use: trials in all, trials at a time, hours of wall-clock time."""

    trials: int = Field(default=30, ge=1)
    parallel: int = Field(default=1, ge=1, le=256)
    hours: float | None = Field(default=None, gt=0)


class ResourcesSpec(Section):
    """Limits of one trial: memory (`8Gi`) and seconds; a trial beyond them fails, the search goes on.

    Memory is what the trial and the processes it starts hold beyond what its worker held before its first trial (the imported
    libraries), so `300Mi` is the trial's own.
    """

    memory: Bytes | None = None
    seconds: float | None = Field(default=None, gt=0)


class GateSpec(Section):
    """What the trained model must reach on the test split: an accuracy for a classification, an R2 for a regression."""

    min_accuracy: float | None = Field(default=None, ge=0, le=1)
    min_r2: float | None = Field(default=None, le=1, allow_inf_nan=False)

    def check_task(self, task: str) -> None:
        """Raise SpecError for a limit that the data's task has no figure for."""
        other, right = ("min_r2", "min_accuracy") if task == "classification" else ("min_accuracy", "min_r2")
        if getattr(self, other) is not None:
            raise SpecError(f"gate.{other}: the data are a {task}; use {right}")


class ObjectiveSpec(Section):
    """A reported metric and its direction."""

    metric: str = Field(min_length=1)
    goal: Literal["minimize", "maximize"]


class SearchFile(Section):
    """The whole search file, its open sections (space, strategy, scheduler) still unread."""

    data: DataSpec | None = None
    space: dict[str, Any]
    strategy: dict[str, Any] = Field(default_factory=lambda: {"name": "tpe"})
    scheduler: dict[str, Any] | None = None
    objectives: list[ObjectiveSpec] | None = Field(default=None, min_length=1, max_length=1)
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    budget: BudgetSpec = Field(default_factory=BudgetSpec)
    resources: ResourcesSpec = Field(default_factory=ResourcesSpec)
    gate: GateSpec | None = None


@dataclass(frozen=True)
class Spec:
    """A checked search: the sections, and the space and strategy they name."""

    file: SearchFile
    space: Space
    strategy: Strategy
    objective: Objective | None
    seed: int
    folder: Path = Path()

    def for_data(self, data: DatasetInfo) -> "Spec":
        """Return the spec for a prepared data set: the space fitted to it, the default objective that of its task."""
        if self.file.gate:
            self.file.gate.check_task(data.task)
        by_task = Objective("val_accuracy", "maximize") if data.task == "classification" else Objective("val_loss", "minimize")
        try:
            return replace(self, space=self.space.fit_to(data), objective=self.objective or by_task)
        except SpecError as error:
            raise SpecError(f"space.{error}") from None

    def to_json(self) -> dict[str, Any]:
        """Return the search file's content with every default written out."""
        content = self.file.model_dump(mode="json", exclude_none=True, exclude={"space"})
        content["space"] = self.space.to_json()
        content["strategy"] = {"name": self.file.strategy["name"], "seed": self.seed, **asdict(self.strategy)}
        if self.objective:
            content["objectives"] = [{"metric": self.objective.metric, "goal": self.objective.goal}]
        return content


def load_spec(path: Path) -> Spec:
    """Read and check a search file; raises SpecError, each line beginning with the file's name."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path}: is no text file") from None
    return parse_spec(read_yaml(text, str(path)), source=str(path), folder=path.resolve().parent)


def with_trials(spec: Spec, trials: int) -> Spec:
    """Return the spec with another number of trials in its budget."""
    if trials < 1:
        raise SpecError(f"budget.trials: got {trials}; needs a whole number from 1")
    budget = spec.file.budget.model_copy(update={"trials": trials})
    return replace(spec, file=spec.file.model_copy(update={"budget": budget}))


def parse_spec(content: object, source: str = "spec", folder: Path = Path()) -> Spec:
    """Check the content of a search file; user's code is looked up beside `folder`."""
    try:
        return _parse(content, folder)
    except SpecError as error:
        raise SpecError("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None


def _parse(content: object, folder: Path) -> Spec:
    if not isinstance(content, Mapping):
        given = "is empty" if content is None else f"got {content!r}"
        raise SpecError(f"{given}; a search file is a dictionary with: {', '.join(SearchFile.model_fields)}")
    try:
        file = SearchFile.model_validate(dict(content))
    except ValidationError as error:
        raise SpecError(_explain_sections(error)) from None
    _check_evaluation(file)
    strategy_settings = dict(file.strategy)
    seed = _seed(strategy_settings.pop("seed", 0))
    strategy = _named("tunesmith.strategies", strategy_settings, "name", Strategy, "strategy")
    space = build_space(file.space, folder)
    return Spec(file, space, strategy, _objective(file), seed, folder)


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0 or value < 0:
        raise SpecError(f"strategy.seed: got {value!r}; needs a whole number from 0")
    return int(value)


def build_space(form: Mapping[str, Any], folder: Path = Path()) -> Space:
    """Make the space of the search file's `space` section."""
    settings = {name: value for name, value in form.items() if name != "sha256"}
    if settings.get("kind") == "code" and isinstance(settings.get("build"), str) and ".py:" in settings["build"]:
        settings["build"] = str(folder / settings["build"])
    return _named("tunesmith.spaces", settings, "kind", Space, "space")


def _named(package: str, settings: dict[str, Any], key: str, base: type[Any], where: str) -> Any:
    allowed = discover(package)
    if key not in settings:
        raise SpecError(f"{where}.{key}: is missing; one of: {', '.join(allowed)}")
    name = settings.pop(key)
    if name not in allowed:
        raise SpecError(f"{where}.{key}: {name!r} is unknown; allowed: {', '.join(allowed)}{did_you_mean(name, allowed)}")
    return build(package, name, base, settings, where)


def _check_evaluation(file: SearchFile) -> None:
    if file.evaluation.kind == "function" and not file.evaluation.function:
        raise SpecError("evaluation.function: is missing; needs file.py:function or package.module:function")
    if file.evaluation.kind == "training" and file.data is None:
        raise SpecError("data: is missing; a training needs data, for example {uri: digits}")
    if file.evaluation.kind == "function" and file.gate:
        raise SpecError("gate: is for a trained model; the search of a function has none")


def _objective(file: SearchFile) -> Objective | None:
    """Return the objective asked for; None leaves it to the task of the data."""
    if file.objectives:
        return Objective(file.objectives[0].metric, file.objectives[0].goal)
    return Objective("loss", "minimize") if file.evaluation.kind == "function" else None


def _explain_sections(error: ValidationError) -> str:
    """Explain pydantic's errors with the allowed keys of the section each is in."""
    return "\n".join(explain_one(item, "", list(_section_at(item["loc"][:-1]).model_fields)) for item in error.errors())


def _section_at(path: tuple[int | str, ...]) -> type[Section]:
    """Return the section that a path of keys and positions leads to."""
    section: type[Section] = SearchFile
    for part in path:
        if isinstance(part, str) and part in section.model_fields:
            section = next(_sections_in(section.model_fields[part].annotation), section)
    return section


def _sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections_in(inner)
