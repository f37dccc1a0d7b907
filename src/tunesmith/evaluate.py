"""Judges a trained model on the test split, which neither the search nor the training has seen."""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tunesmith.data.dataset import Dataset
from tunesmith.errors import GateFailed, SpecError
from tunesmith.evaluation._runtimes import latency
from tunesmith.figures import ClassFigures, Figures, RocPoint, judge_classes, judge_regression
from tunesmith.files import write_json
from tunesmith.latency import Latency
from tunesmith.model_folder import ModelFolder

if TYPE_CHECKING:
    import keras

BATCH = 256


@dataclass(frozen=True)
class Evaluation:
    """What is known of a model: its quality on `examples` test examples, its size and its speed.

    `size` is the model file's in bytes; `latency` is of one example in the running process, with TensorFlow's threads as
    they are set there, since they cannot be changed once TensorFlow runs. `fingerprint` is the data set's.
    """

    task: Literal["classification", "regression"]
    examples: int
    figures: Figures
    size: int
    parameters: int
    latency: Latency
    fingerprint: str

    def to_json(self) -> dict[str, Any]:
        """Return plain data with the figures beside the rest; every number is finite."""
        content = asdict(self)
        return {**{name: value for name, value in content.items() if name != "figures"}, **content["figures"]}

    @classmethod
    def load(cls, folder: Path) -> "Evaluation":
        """Read `evaluation.json`; raises SpecError where `folder` holds none that this version can read."""
        path = folder / "evaluation.json"
        try:
            content = json.loads(path.read_text())
            figures = _figures(**{field.name: content.pop(field.name) for field in fields(Figures)})
            return cls(figures=figures, latency=Latency(**content.pop("latency")), **content)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SpecError(f"{path}: is no evaluation of a model ({type(error).__name__}: {error})") from None


def evaluate(model_folder: Path, dataset_folder: Path, folder: Path | None = None) -> Evaluation:
    """Judge a model on the test split of a data set; write `evaluation.json` where a `folder` is given.

    Raises SpecError for a folder without a usable model, DataError for a data set that is not the model's kind, GateFailed for
    a model whose answers are no numbers.
    """
    source = ModelFolder.open(model_folder)
    dataset = Dataset.load(dataset_folder)
    x, y = source.test_examples(dataset, dataset_folder)
    model = source.load()
    answers = _predict(model, x)
    classifies = source.info.task == "classification"
    evaluation = Evaluation(
        task=source.info.task,
        examples=len(y),
        figures=judge_classes(y, answers, source.info.classes) if classifies else judge_regression(y, answers),
        size=source.size,
        parameters=model.count_params(),
        latency=latency(model, x[:1]),
        fingerprint=dataset.info.fingerprint,
    )
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "evaluation.json", evaluation.to_json())
    return evaluation


def check_gate(evaluation: Evaluation, min_accuracy: float | None = None, min_r2: float | None = None) -> None:
    """Raise GateFailed with the figures where a model misses what is asked of it; None asks nothing.

    Raises SpecError for a limit that the task has no figure for, or that no model can miss or reach.
    """
    if min_accuracy is not None:
        if not 0 <= min_accuracy <= 1:
            raise SpecError(f"min_accuracy: got {min_accuracy!r}; needs a share from 0 to 1, such as 0.95")
        _check_limit(evaluation, "min_accuracy", "classification", "accuracy", min_accuracy)
    if min_r2 is not None:
        if not -math.inf < min_r2 <= 1:
            raise SpecError(f"min_r2: got {min_r2!r}; needs a number up to 1, such as 0.8")
        _check_limit(evaluation, "min_r2", "regression", "r2", min_r2)


def _check_limit(evaluation: Evaluation, option: str, task: str, metric: str, limit: float) -> None:
    if evaluation.task != task:
        other = "min_r2" if task == "classification" else "min_accuracy"
        raise SpecError(f"{option}: is for a {task}, this model is a {evaluation.task}; use {other}")
    value = evaluation.figures.metrics.get(metric)
    if value is not None and value >= limit:
        return
    got = "is undefined" if value is None else f"{value:.4f} is below {option} {limit:g}"
    rest = ", ".join(f"{name} {number:.4g}" for name, number in evaluation.figures.metrics.items() if name != metric)
    low_high = evaluation.figures.intervals.get(metric)
    interval = f" (95 % interval {low_high[0]:.4f} to {low_high[1]:.4f})" if low_high else ""
    raise GateFailed(f"{metric} {got}{interval} on {evaluation.examples} test examples; {rest}")


def _figures(metrics: Any, intervals: Any, classes: Any, confusion: Any, roc: Any) -> Figures:
    """Return the figures that were written as JSON, which has lists for tuples."""
    return Figures(
        metrics=metrics,
        intervals={name: (low, high) for name, (low, high) in intervals.items()},
        classes=tuple(ClassFigures(**figures) for figures in classes),
        confusion=tuple(tuple(row) for row in confusion),
        roc=tuple(RocPoint(**point) for point in roc),
    )


def _predict(model: "keras.Model", x: np.ndarray) -> np.ndarray:
    """Return the answers as float64 of shape (examples, outputs); raises GateFailed where they are not finite."""
    predict: Any = model.predict  # Keras derives the types of its arguments from their defaults
    answers = np.asarray(predict(x, batch_size=BATCH, verbose=0), dtype=np.float64)
    broken = int((~np.isfinite(answers).all(axis=1)).sum())
    if broken:
        raise GateFailed(f"the model answers NaN or infinity for {broken} of {len(x)} test examples")
    return answers
