"""The Python front door: `minimize` any function, `design` a network from a `build(choose)` function."""

import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tunesmith.data.arrays import prepare_arrays
from tunesmith.data.info import DatasetInfo
from tunesmith.engines._engine import Progress
from tunesmith.engines.inline import Inline
from tunesmith.engines.local import Local
from tunesmith.errors import SpecError
from tunesmith.evaluation._context import Evaluator
from tunesmith.evaluation.function import FunctionEvaluator
from tunesmith.progress import ConsoleProgress
from tunesmith.record import Record
from tunesmith.search import Outcome, make_evaluator, outcome, run, spec_aims, study_content
from tunesmith.spaces._distributions import Distribution, Value
from tunesmith.spaces._space import Space
from tunesmith.spaces.parameters import Branches
from tunesmith.spec import Spec, parse_spec

if TYPE_CHECKING:
    from tunesmith.advice.advise import Advice

# The name of the one parameter of a space that is a bare distribution or choice.
BARE = "x"

Strategy = str | Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What a search found: the best candidate and its value; `study` holds every trial with its curve."""

    best_candidate: dict[str, Value]
    best_value: float
    study: Record
    outcome: Outcome
    _keep: object = field(default=None, repr=False)

    @property
    def best_model(self) -> Any:
        """The Keras model of the best trial, as it was scored; raises SpecError where the search trained none."""
        path = self.study.trial_folder(self.outcome.best.number) / "model.keras"
        if not path.exists():
            raise SpecError("best_model: this search trained no networks")
        import keras

        with warnings.catch_warnings():
            # The optimizer's state is left out of checkpoints, which makes them three times smaller.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            return keras.models.load_model(path)


def minimize(
    function: Callable[..., Any],
    space: Distribution | Branches | Mapping[str, Any] | Space,
    *,
    strategy: Strategy = "auto",
    trials: int = 100,
    parallel: int = 1,
    seed: int = 0,
    timeout: float | None = None,
    memory: str | int | None = None,
    study: str | Path | None = None,
    progress: bool = False,
) -> Result:
    """Search the candidate for which `function` returns the least value.

    function: takes a candidate and returns a number, a dictionary of metrics with "loss", or
        {"status": "fail", "reason": ...}. The candidate is a dictionary; where `space` is a single distribution, the bare
        value; where it is a single choice whose options open parameters, a dictionary with the option as "x". A second
        argument, where it takes one, is the context with `report(step, metrics)`. An exception or NaN is a failed trial.
    timeout, memory: seconds and bytes (or "2Gi") of one trial. With them, or with parallel > 1, trials run in worker processes.
    study: folder of the record; the same call continues it, an edited function is refused. Without it the record lives as
        long as the result.

    Raises SpecError for a mistake in the arguments, StudyError where no trial succeeded.
    """
    bare = isinstance(space, Distribution)
    content = {
        "space": _space_form({BARE: space} if isinstance(space, Distribution | Branches) else space),
        "strategy": _strategy_form(strategy, seed),
        "evaluation": {"kind": "function", "function": f"python:{getattr(function, '__qualname__', 'function')}"},
        **_limits(trials, parallel, timeout, memory),
    }
    evaluator = FunctionEvaluator(function, "loss", BARE if bare else None)
    spec = parse_spec(content, "minimize")
    return _run(lambda _: Ready(spec, evaluator), study, progress)


def design(
    build: Callable[..., Any] | Space,
    data: Any,
    *,
    strategy: Strategy = "auto",
    trials: int = 30,
    parallel: int = 1,
    epochs: int = 20,
    patience: int | None = None,
    seed: int = 0,
    timeout: float | None = None,
    memory: str | int | None = None,
    study: str | Path | None = None,
    progress: bool = False,
) -> Result:
    """Search the network that `build(choose)` can make and that scores best on the validation data.

    build: calls `choose.uniform("dropout", 0, 0.5)` and the like and returns a Keras model (compiled or not) or a
        `tunesmith.Training` with its batch size; or a space such as `layers`.
    data: a function returning (x_train, y_train, x_validation, y_validation), or these four arrays, or the folder of a
        prepared data set. Texts, at most 20 different whole numbers and indices from 0 make a classification, all other
        labels a regression.

    The result's `best_model` is the best trial's trained model. Other arguments as for `minimize`.
    """
    content = {
        "data": {"uri": str(data) if isinstance(data, str | Path) else "arrays"},
        "space": {"kind": "code", "build": build} if not isinstance(build, Space) else build.to_json(),
        "strategy": _strategy_form(strategy, seed),
        "evaluation": {"epochs": epochs} | ({"early_stopping": {"patience": patience}} if patience else {}),
        **_limits(trials, parallel, timeout, memory),
    }
    spec = parse_spec(content, "design")

    def ready(folder: Path) -> Ready:
        dataset = Path(data) if isinstance(data, str | Path) else folder / "dataset"
        if not isinstance(data, str | Path):
            arrays: Any = data() if callable(data) else data
            prepare_arrays(*arrays, folder=dataset)
        info = DatasetInfo.load(dataset)
        fitted = spec.for_data(info)
        return Ready(fitted, make_evaluator(fitted, dataset), info.fingerprint)

    return _run(ready, study, progress)


@dataclass(frozen=True)
class Ready:
    """A search ready to run, but for its record."""

    spec: Spec
    evaluator: Evaluator
    fingerprint: str = ""


def advise(study: Result | str | Path, objective: str | None = None) -> "Advice":
    """Return what a study says about what to do next: which parameters matter, what to fix, narrow or widen, whether to go on.

    study: a result, or the folder of a study or of a run. objective: which of several, all by default. The advice's
    `space`, where it has one, is that of the next search.

    Raises SpecError for an objective that the study has not, StudyError where there is no study.
    """
    from tunesmith.advice.advise import advise as advise_folder
    from tunesmith.summary import study_folder

    return advise_folder(study.study.folder if isinstance(study, Result) else study_folder(Path(study)), objective)


def _run(ready: Callable[[Path], Ready], study: str | Path | None, progress: bool) -> Result:
    keep = tempfile.TemporaryDirectory(prefix="tunesmith-") if study is None else None
    folder = Path(keep.name if keep else str(study))
    search = ready(folder)
    engine = Local() if _needs_workers(search.spec) else Inline()
    with Record.start(folder, study_content(search.spec, search.fingerprint, search.evaluator)) as record:
        shown = ConsoleProgress(Console(stderr=True, markup=False)) if progress else Progress()
        run(search.spec, search.evaluator, record, engine, shown)
    record = Record.read(folder)
    found = outcome(record, spec_aims(search.spec))
    return Result(dict(found.best.candidate), found.value, record, found, keep)


def _needs_workers(spec: Spec) -> bool:
    limits = spec.file.resources
    training = spec.file.evaluation.kind == "training"
    return training or spec.file.budget.parallel > 1 or limits.memory is not None or limits.seconds is not None


def _space_form(space: object) -> dict[str, Any]:
    if isinstance(space, Space):
        return space.to_json()
    if isinstance(space, Mapping):
        return {"kind": "parameters", "parameters": space}
    raise SpecError(f"space: got {space!r}; needs a dictionary of distributions, a distribution, or a space")


def _strategy_form(strategy: Strategy, seed: int) -> dict[str, Any]:
    return {"name": strategy, "seed": seed} if isinstance(strategy, str) else {"seed": seed, **strategy}


def _limits(trials: int, parallel: int, timeout: float | None, memory: str | int | None) -> dict[str, Any]:
    resources = {"seconds": timeout, "memory": memory}
    return {
        "budget": {"trials": trials, "parallel": parallel},
        "resources": {name: value for name, value in resources.items() if value is not None},
    }
