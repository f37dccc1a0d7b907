"""A trained model is judged on the test split, and held to what is asked of it."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.model_folders import Made, load_model
from tunesmith.data.dataset import Dataset
from tunesmith.data.info import DatasetInfo
from tunesmith.errors import DataError, GateFailed, SpecError
from tunesmith.evaluate import Evaluation, check_gate, evaluate
from tunesmith.figures import Figures
from tunesmith.latency import CALLS, WARM_UP, Latency, measure
from tunesmith.model_folder import ModelFolder

Copied = Callable[[Made], Made]


def numbers(content: Any) -> list[float]:
    """Return every number in plain data."""
    if isinstance(content, dict):
        return numbers(list(content.values()))
    if isinstance(content, list):
        return [number for part in content for number in numbers(part)]
    return [content] if isinstance(content, int | float) else []


def test_a_classifier_is_judged_on_the_test_split_alone(image_model: Made, tmp_path: Path):
    evaluation = evaluate(image_model.model, image_model.dataset, tmp_path / "new" / "folder")
    x, y = Dataset.load(image_model.dataset).split("test")
    model = load_model(image_model.model)
    accuracy = float((model.predict(x, verbose=0).argmax(axis=1) == y).mean())
    assert evaluation.examples == len(y)
    assert evaluation.figures.metrics["accuracy"] == pytest.approx(accuracy)
    assert sum(map(sum, evaluation.figures.confusion)) == len(y)
    assert [figure.name for figure in evaluation.figures.classes] == ["0", "1", "2"]
    assert evaluation.parameters == model.count_params()
    assert evaluation.size == (image_model.model / "model.keras").stat().st_size
    assert 0 < evaluation.latency.median_ms <= evaluation.latency.p90_ms


def test_the_evaluation_is_saved_as_plain_finite_numbers(table_model: Made, tmp_path: Path):
    evaluation = evaluate(table_model.model, table_model.dataset, tmp_path)
    content = json.loads((tmp_path / "evaluation.json").read_text())
    assert content == json.loads(json.dumps(evaluation.to_json()))
    assert {"task", "examples", "metrics", "intervals", "classes", "confusion", "roc", "latency", "size"} <= set(content)
    assert all(math.isfinite(number) for number in numbers(content))
    assert set(content["metrics"]) == {"accuracy", "macro_f1", "log_loss", "roc_auc"}


def test_a_regression_is_judged_in_the_targets_own_units(regression_model: Made):
    evaluation = evaluate(regression_model.model, regression_model.dataset)
    assert set(evaluation.figures.metrics) == {"mae", "rmse", "r2"}
    assert evaluation.figures.metrics["mae"] > 1000
    low, high = evaluation.figures.intervals["mae"]
    assert low < evaluation.figures.metrics["mae"] < high


def test_judging_twice_gives_the_same_figures(regression_model: Made):
    first, second = (evaluate(regression_model.model, regression_model.dataset) for _ in range(2))
    assert first.figures == second.figures


def test_a_table_prepared_again_is_encoded_as_the_model_was_trained(table_model: Made, copied: Copied):
    made = copied(table_model)
    before = evaluate(made.model, made.dataset).figures
    for name in ("train_x.npy", "test_x.npy"):
        np.save(made.dataset / name, np.load(made.dataset / name) * 0)
    assert evaluate(made.model, made.dataset).figures == before


def test_a_column_that_the_data_lacks_is_named(table_model: Made):
    source = ModelFolder.open(table_model.model)
    columns = Dataset.load(table_model.dataset).raw("test")
    with pytest.raises(DataError, match=r"does not suit the model in .*: lacks the columns Größe; it has: "):
        source.encode({name: values for name, values in columns.items() if name != "Größe"}, table_model.dataset)


def test_a_column_of_another_kind_is_named(table_model: Made):
    columns = Dataset.load(table_model.dataset).raw("test")
    columns["Größe"] = columns["Größe"].astype(str)
    with pytest.raises(DataError, match=r"does not suit the model in .*: column 'Größe': needs numbers"):
        ModelFolder.open(table_model.model).encode(columns, table_model.dataset)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("0", "1", "7")}, r"has classes 0, 1, 7, the model in .* was trained on 0, 1, 2"),
        ({"input_shape": (5, 6, 1)}, r"has images \(5, 6, 1\), the model in .* takes \(6, 5, 1\)"),
        ({"task": "regression", "classes": ()}, "has task 'regression'"),
        ({"kind": "table"}, "has kind 'table'"),
    ],
)
def test_a_data_set_of_another_kind_is_refused(image_model: Made, copied: Copied, change: dict[str, Any], message: str):
    made = copied(image_model)
    replace(DatasetInfo.load(made.dataset), **change).save(made.dataset)
    with pytest.raises(DataError, match=message):
        evaluate(made.model, made.dataset)


def test_a_folder_without_a_model_is_named(image_model: Made, tmp_path: Path):
    with pytest.raises(SpecError, match=r"no model folder \(it has no model.keras and no dataset.json\)"):
        evaluate(tmp_path, image_model.dataset)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_a_damaged_model_file_is_named(image_model: Made, copied: Copied, content: bytes):
    made = copied(image_model)
    (made.model / "model.keras").write_bytes(content)
    with pytest.raises(SpecError, match=r"model\.keras: cannot be loaded as a Keras model"):
        evaluate(made.model, made.dataset)


def test_a_truncated_model_file_is_named(image_model: Made, copied: Copied):
    made = copied(image_model)
    path = made.model / "model.keras"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SpecError, match="cannot be loaded"):
        evaluate(made.model, made.dataset)


def test_a_model_that_carries_code_is_not_run(image_model: Made, copied: Copied):
    import keras

    made = copied(image_model)
    layers = [keras.Input((6, 5, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten(), keras.layers.Dense(3)]
    keras.Sequential(layers).save(made.model / "model.keras")
    with pytest.raises(SpecError, match="cannot be loaded"):
        evaluate(made.model, made.dataset)


def test_a_model_of_other_shapes_than_its_folder_says_is_named(image_model: Made, table_model: Made, copied: Copied):
    made = copied(image_model)
    (made.model / "model.keras").write_bytes((table_model.model / "model.keras").read_bytes())
    with pytest.raises(SpecError, match=r"the model takes .*, its dataset.json says \(None, 6, 5, 1\)"):
        evaluate(made.model, made.dataset)


def test_a_model_that_answers_nan_is_refused_with_the_count(image_model: Made, copied: Copied):
    made = copied(image_model)
    model = load_model(made.model)
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    model.save(made.model / "model.keras")
    with pytest.raises(GateFailed, match="NaN or infinity for 30 of 30 test examples"):
        evaluate(made.model, made.dataset)


def judged(task: Any, **metrics: float) -> Evaluation:
    """Return an evaluation with these metrics."""
    figures = Figures(metrics, {name: (value - 0.02, value + 0.01) for name, value in list(metrics.items())[:1]})
    return Evaluation(task, 300, figures, 1000, 100, Latency(1.0, 2.0), "f")


def test_a_model_as_good_as_asked_passes_the_gate():
    check_gate(judged("classification", accuracy=0.9))
    check_gate(judged("classification", accuracy=0.9), min_accuracy=0.9)
    check_gate(judged("regression", r2=-0.2), min_r2=-0.5)


def test_a_model_that_misses_the_gate_is_refused_with_its_figures():
    with pytest.raises(GateFailed) as failure:
        check_gate(judged("classification", accuracy=0.8912, macro_f1=0.7), min_accuracy=0.9)
    for figure in ("accuracy 0.8912", "min_accuracy 0.9", "0.8712 to 0.9012", "300 test examples", "macro_f1 0.7"):
        assert figure in str(failure.value)


def test_an_undefined_figure_does_not_pass_the_gate():
    with pytest.raises(GateFailed, match="r2 is undefined on 300 test examples"):
        check_gate(judged("regression", mae=0.0), min_r2=0.5)


def test_a_limit_of_the_other_task_is_the_users_mistake():
    with pytest.raises(SpecError, match="min_accuracy: is for a classification, this model is a regression; use min_r2"):
        check_gate(judged("regression", r2=0.9), min_accuracy=0.9)
    with pytest.raises(SpecError, match="use min_accuracy"):
        check_gate(judged("classification", accuracy=0.9), min_r2=0.9)


@pytest.mark.parametrize("limit", [97, -0.1, math.nan])
def test_a_senseless_limit_is_refused(limit: float):
    with pytest.raises(SpecError, match="min_accuracy: got"):
        check_gate(judged("classification", accuracy=0.9), min_accuracy=limit)
    if limit != -0.1:
        with pytest.raises(SpecError, match="min_r2: got"):
            check_gate(judged("regression", r2=0.9), min_r2=limit)


def test_a_latency_is_taken_from_at_least_fifty_calls_after_a_warm_up():
    calls: list[int] = []
    measure(lambda: calls.append(1))
    assert len(calls) == CALLS + WARM_UP
    assert CALLS >= 50
