"""The search file: one YAML document describes a search for every engine.

Every error names the file, the path, the value and what is allowed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from tunesmith.aims import Aims, Constraint, Objective, read_constraints
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import SpecError
from tunesmith.evaluation._measured import check_metrics
from tunesmith.registry import build, did_you_mean, discover, explain_one
from tunesmith.sections import SearchFile, Section
from tunesmith.spaces._capabilities import Scalable, Tunable, spaces_with
from tunesmith.spaces._space import Space
from tunesmith.spaces._training import Trainable
from tunesmith.strategies._strategy import Strategy, check_pair
from tunesmith.yaml_text import read_yaml


@dataclass(frozen=True)
class Spec:
    """A checked search: the sections, and the space and strategy they name."""

    file: SearchFile
    space: Space
    strategy: Strategy
    objective: Objective | None
    seed: int
    folder: Path = Path()
    others: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()

    @property
    def aims(self) -> Aims | None:
        """The objectives and the constraints; None where the data's task has still to decide."""
        return Aims((self.objective, *self.others), self.constraints) if self.objective else None

    @property
    def compared(self) -> Space:
        """The space whose networks are compared: of the size that the evaluation asks for, else of the final one."""
        return _resized(self.space, self.file.evaluation.size)

    def for_data(self, data: DatasetInfo) -> "Spec":
        """Return the spec for a prepared data set: the space fitted to it, the default objective that of its task."""
        if self.file.gate:
            self.file.gate.check_task(data.task)
        by_task = Objective("val_accuracy", "maximize") if data.task == "classification" else Objective("val_loss", "minimize")
        try:
            fitted = replace(self, space=self.space.fit_to(data), objective=self.objective or by_task)
        except SpecError as error:
            raise SpecError(f"space.{error}") from None
        try:
            fitted.compared.fit_to(data)
        except SpecError as error:
            raise SpecError(f"evaluation.size.{error}") from None
        fitted.check_metrics(data.task)
        return fitted

    def check_metrics(self, task: str | None = None) -> None:
        """Raise SpecError for a metric that no trial can have, where that is known; `task`: of the data, where known."""
        if self.file.evaluation.kind == "training" and isinstance(self.space, Trainable) and not self.space.own_metrics:
            check_metrics([self.objective, *self.others] if self.objective else [], self.constraints, task)

    def to_json(self) -> dict[str, Any]:
        """Return the search file's content with every default written out."""
        content = self.file.model_dump(mode="json", exclude_none=True, exclude={"space"})
        content["space"] = self.space.to_json()
        content["strategy"] = {"name": self.file.strategy["name"], "seed": self.seed, **asdict(self.strategy)}
        return content | (self.aims.to_json() if self.aims else {})


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
    check_pair(strategy, space)
    _check_sizes(file, space)
    objective, *others = _objectives(file)
    constraints = read_constraints(file.constraints or ())
    _check_scheduler(file)
    spec = Spec(file, space, strategy, objective, seed, folder, tuple(others), constraints)
    spec.check_metrics()
    return spec


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
    if file.evaluation.kind == "function" and file.evaluation.examples == "growing":
        raise SpecError("evaluation.examples: growing is for the training of a network; a function reads its data itself")
    if file.evaluation.kind == "function":
        for name in ("size", "share"):
            if getattr(file.evaluation, name) not in (None, 1.0):
                raise SpecError(f"evaluation.{name}: is for the training of a network; a function decides that itself")
    if file.evaluation.kind == "training" and file.data is None:
        raise SpecError("data: is missing; a training needs data, for example {uri: digits}")
    if file.evaluation.kind == "function" and file.gate:
        raise SpecError("gate: is for a trained model; the search of a function has none")


def _check_sizes(file: SearchFile, space: Space) -> None:
    """Refuse what only some spaces can: networks of another size, and a training that is searched by itself."""
    _resized(space, file.evaluation.size)
    if 0 < file.final.fidelity < 3:
        raise SpecError(f"final.fidelity: got {file.final.fidelity}; a rank correlation needs 3 trials at least, or 0 for none")
    if file.final.tune and not isinstance(space, Tunable):
        raise SpecError(f"final.tune: space.kind {_kind(space)} has no training of its own to tune; {_able(Tunable)}")


def _resized(space: Space, sizes: Mapping[str, int] | None) -> Space:
    if not sizes:
        return space
    if not isinstance(space, Scalable):
        raise SpecError(f"evaluation.size: the networks of space.kind {_kind(space)} come in one size; {_able(Scalable)}")
    try:
        return space.resized(sizes)
    except SpecError as error:
        raise SpecError(f"evaluation.size.{error}") from None


def _kind(space: Space) -> str:
    return repr(space.to_json().get("kind"))


def _able(capability: type) -> str:
    return f"allowed with: {', '.join(spaces_with(capability))}"


def _objectives(file: SearchFile) -> tuple[Any, ...]:
    """Return the objectives asked for; a single None leaves them to the task of the data."""
    if not file.objectives:
        return (Objective("loss", "minimize") if file.evaluation.kind == "function" else None,)
    metrics = [objective.metric for objective in file.objectives]
    for position, metric in enumerate(metrics):
        if metric in metrics[:position]:
            raise SpecError(f"objectives.{position}.metric: {metric!r} is an objective already; name each metric once")
    return tuple(Objective(objective.metric, objective.goal) for objective in file.objectives)


def _check_scheduler(file: SearchFile) -> None:
    """Refuse to stop trials by one of several objectives: what is poor in that one may be the best in another."""
    if file.scheduler and file.objectives and len(file.objectives) > 1:
        raise SpecError("scheduler: stops trials by a single objective; leave it out, or name one objective and constraints")


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
