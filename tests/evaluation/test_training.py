"""Judging a candidate by training it: curve, best epoch, checkpoint, and every way in which it can go wrong."""

import gc
import math
from dataclasses import replace
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from tests.evaluation.sets import ACCURACY, CLASSIFIER, LOSS, REGRESSOR, make_context
from tunesmith.aims import Aims, Constraint, Objective
from tunesmith.data.dataset import Dataset
from tunesmith.errors import SpecError, TrialFailed, TrialStopped
from tunesmith.evaluation import _runtimes
from tunesmith.evaluation._measured import reported
from tunesmith.evaluation.training import TrainingEvaluator
from tunesmith.record import Record
from tunesmith.search import search
from tunesmith.sections import EvaluationSpec
from tunesmith.spaces._training import Training
from tunesmith.spaces.cells_nasbench201 import EDGES, NASBench201
from tunesmith.spaces.code import Code
from tunesmith.spaces.layers import Layers
from tunesmith.spaces.parameters import Parameters
from tunesmith.spec import parse_spec

GOOD = {"learning_rate": 0.01}
HOPELESS = {"learning_rate": 0.0001}


def classify(
    pictures: Path, epochs: int = 3, objective: Objective = ACCURACY, patience: int | None = None
) -> TrainingEvaluator:
    return TrainingEvaluator(CLASSIFIER, pictures, objective, epochs, patience)


def accuracy(model_file: Path, dataset: Path) -> float:
    import keras

    x, y = Dataset.load(dataset).split("validation")
    answers = np.asarray(keras.saving.load_model(model_file, compile=False)(x))  # type: ignore[operator]
    return float((answers.argmax(axis=1) == y).mean())


def test_every_epoch_is_reported_from_one(tmp_path: Path, pictures: Path):
    context, reports = make_context(tmp_path)
    classify(pictures).evaluate(GOOD, context)
    assert [step for step, _ in reports] == [1, 2, 3]
    assert all(set(metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"} for _, metrics in reports)


def test_a_good_candidate_learns(tmp_path: Path, pictures: Path):
    context, _ = make_context(tmp_path)
    assert classify(pictures, epochs=10).evaluate(GOOD, context)["val_accuracy"] > 0.9


def test_the_best_epoch_is_scored_and_kept(tmp_path: Path, pictures: Path):
    context, reports = make_context(tmp_path)
    metrics = classify(pictures, epochs=4, objective=Objective("val_accuracy", "minimize")).evaluate(GOOD, context)
    worst = min(reports, key=lambda report: (report[1]["val_accuracy"], report[1]["val_loss"]))
    assert context.facts["best_epoch"] == worst[0] < 4
    assert metrics == pytest.approx(worst[1])
    assert accuracy(tmp_path / "model.keras", pictures) == pytest.approx(metrics["val_accuracy"])


def test_the_same_seed_trains_the_same_network(tmp_path: Path, pictures: Path):
    first, second = (classify(pictures).evaluate(GOOD, make_context(tmp_path)[0]) for _ in range(2))
    assert first == pytest.approx(second, rel=1e-4)


def test_what_is_known_besides_the_metrics_is_noted(tmp_path: Path, pictures: Path):
    context, _ = make_context(tmp_path)
    classify(pictures).evaluate(GOOD, context)
    assert context.facts["epochs"] == 3
    assert context.facts["parameters"] == (9 + 1) * 4 + (3 * 2 * 4 + 1) * 8 + (8 + 1) * 3
    assert context.facts["estimated_memory"] > 4 * context.facts["parameters"]
    assert context.facts["fit_seconds"] > 0


def test_patience_ends_a_training_that_no_longer_improves(tmp_path: Path, pictures: Path):
    context, reports = make_context(tmp_path)
    classify(pictures, epochs=50, objective=Objective("val_loss", "maximize"), patience=2).evaluate(GOOD, context)
    assert len(reports) == context.facts["epochs"] == context.facts["best_epoch"] + 2


def test_a_stopped_trial_passes_up_the_best_it_reached(tmp_path: Path, pictures: Path):
    context, reports = make_context(tmp_path, stop_at=2)
    with pytest.raises(TrialStopped, match="stopped at 2") as stopped:
        classify(pictures, epochs=20).evaluate(GOOD, context)
    best = max(metrics["val_accuracy"] for _, metrics in reports)
    assert len(reports) == 2
    assert stopped.value.metrics["val_accuracy"] == pytest.approx(best)
    assert context.facts["epochs"] == 2


def test_a_network_beyond_the_memory_is_refused_before_it_is_trained(tmp_path: Path, pictures: Path):
    context, reports = make_context(tmp_path, memory_limit=1000)
    with pytest.raises(TrialFailed, match=r"needs about 0 MiB to train \(267 parameters, batches of 16\); allowed: 0 MiB"):
        classify(pictures).evaluate(GOOD, context)
    assert reports == []
    assert context.facts["estimated_memory"] > 1000
    assert not (tmp_path / "model.keras").exists()


def test_plain_layers_beyond_the_memory_are_refused_before_they_are_built(tmp_path: Path, pictures: Path, monkeypatch):
    monkeypatch.setattr(Layers, "network", lambda *_: pytest.fail("the network was built"))
    enormous = replace(CLASSIFIER, convs=(0, 0), dense=(5, 5), units=30000, learning_rate=0.01)
    context, _ = make_context(tmp_path, memory_limit=1500 * 2**20)
    with pytest.raises(TrialFailed, match=r"needs about \d{5} MiB to train \(3,601,140,003 parameters.*allowed: 1500 MiB"):
        TrainingEvaluator(enormous, pictures, ACCURACY, 1).evaluate({}, context)
    assert context.facts["parameters"] == 31 * 30000 + 4 * 30001 * 30000 + 30001 * 3
    assert context.facts["estimated_memory"] > 16 * context.facts["parameters"]


def test_a_small_network_is_not_trained_where_that_of_the_final_size_is_beyond_the_memory(tmp_path: Path, pictures: Path):
    small, full = (NASBench201(stages=1, cells=1, filters=filters) for filters in (2, 512))
    candidate = dict.fromkeys(EDGES, "nor_conv_3x3")
    evaluator = TrainingEvaluator(small, pictures, ACCURACY, 1, full=full)
    (tmp_path / "tight").mkdir()
    context, reports = make_context(tmp_path / "tight", memory_limit=150 * 2**20)
    needed = r"at its final size the network needs about 307 MiB to train \(14,\d{3},\d{3} parameters, batches of 64\), "
    with pytest.raises(TrialFailed, match=needed + r"and there are 150 MiB \(resources\.memory\)"):
        evaluator.evaluate(candidate, context)
    assert reports == []
    assert context.facts["parameters"] < 1000, "the trial's own network fits"
    context, reports = make_context(tmp_path, memory_limit=320 * 2**20)
    evaluator.evaluate(candidate, context)
    assert len(reports) == 1


def test_a_users_model_beyond_the_memory_is_refused_once_it_is_built(tmp_path: Path, pictures: Path):
    def build(choose):
        import keras

        return keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])

    context, reports = make_context(tmp_path, memory_limit=1000)
    with pytest.raises(TrialFailed, match=r"needs about 0 MiB to train \(93 parameters"):
        TrainingEvaluator(Code(build), pictures, ACCURACY, 1).evaluate({}, context)
    assert reports == []
    assert context.facts["estimated_memory"] > 1000


def test_a_loss_that_is_no_number_fails_the_trial(tmp_path: Path, pictures: Path):
    def build(choose):
        import keras

        layers = [keras.layers.Rescaling(math.inf), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
        return keras.Sequential(layers)

    context, reports = make_context(tmp_path)
    with pytest.raises(TrialFailed, match="loss became NaN in epoch 1"):
        TrainingEvaluator(Code(build), pictures, ACCURACY, 5).evaluate({}, context)
    assert reports == []
    assert context.facts["epochs"] == 1


def test_want_of_memory_fails_the_trial_with_its_reason(tmp_path: Path, pictures: Path):
    def build(choose):
        raise MemoryError("9 GiB refused")

    with pytest.raises(TrialFailed, match="out of memory: 9 GiB refused"):
        TrainingEvaluator(Code(build), pictures, ACCURACY, 1).evaluate({}, make_context(tmp_path)[0])


def test_an_objective_that_training_does_not_report_is_named(tmp_path: Path, pictures: Path):
    with pytest.raises(TrialFailed, match="no metric 'val_f1'; it reports: accuracy, loss, val_accuracy, val_loss"):
        classify(pictures, objective=Objective("val_f1")).evaluate(GOOD, make_context(tmp_path)[0])


def test_errors_of_a_regression_are_in_the_targets_units(tmp_path: Path, houses: Path):
    import keras

    context, reports = make_context(tmp_path)
    metrics = TrainingEvaluator(REGRESSOR, houses, LOSS, 30).evaluate(GOOD, context)
    assert reports[0][1]["val_mae"] > 5000
    assert metrics["val_loss"] < 0.1
    x, y = Dataset.load(houses).split("validation")
    answers = np.asarray(keras.saving.load_model(tmp_path / "model.keras")(x))  # type: ignore[operator]
    assert answers.shape == (len(y), 1)
    assert np.abs(answers[:, 0] - y).mean() == pytest.approx(metrics["val_mae"], rel=1e-3)


def test_a_users_model_is_compiled_for_the_task_and_trained_its_own_epochs(tmp_path: Path, pictures: Path):
    def build(choose):
        import keras

        layers = [keras.layers.Flatten(), keras.layers.Dense(choose.int("units", 4, 8)), keras.layers.Dense(3, "softmax")]
        return Training(keras.Sequential(layers), batch_size=50, epochs=2)

    context, reports = make_context(tmp_path)
    metrics = TrainingEvaluator(Code(build), pictures, ACCURACY, 9).evaluate({"units": 5}, context)
    assert len(reports) == 2
    assert 0 <= metrics["val_accuracy"] <= 1


def test_a_users_own_compilation_is_kept(tmp_path: Path, pictures: Path):
    def build(choose):
        import keras

        model = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["sparse_top_k_categorical_accuracy"])
        return model

    context, _ = make_context(tmp_path)
    metrics = TrainingEvaluator(Code(build), pictures, LOSS, 1).evaluate({}, context)
    assert "val_sparse_top_k_categorical_accuracy" in metrics
    assert "val_accuracy" not in metrics


def test_a_model_of_the_users_own_class_can_be_trained(tmp_path: Path, houses: Path):
    def build(choose):
        import keras

        class Own(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.answer = keras.layers.Dense(1)

            def call(self, inputs):
                return self.answer(inputs)

        return Own()

    context, _ = make_context(tmp_path)
    TrainingEvaluator(Code(build), houses, LOSS, 2).evaluate({}, context)
    assert context.facts["parameters"] == 3
    assert (tmp_path / "model.keras").exists()


@pytest.mark.parametrize(
    ("shape", "outputs", "message"),
    [((30,), 3, "the network takes 30, the data has 6x5x1"), ((6, 5, 1), 2, "the network answers 2, the data has 3 classes")],
)
def test_a_users_model_that_does_not_fit_the_data_is_named(tmp_path: Path, pictures: Path, shape, outputs, message):
    def build(choose):
        import keras

        return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(outputs)])

    with pytest.raises(TrialFailed, match=message):
        TrainingEvaluator(Code(build), pictures, ACCURACY, 1).evaluate({}, make_context(tmp_path)[0])


def test_a_build_function_that_returns_no_model_is_told_so(tmp_path: Path, pictures: Path):
    with pytest.raises(SpecError, match=r"build: returned dict; needs a keras\.Model or a tunesmith\.Training"):
        TrainingEvaluator(Code(lambda choose: {}), pictures, ACCURACY, 1).evaluate({}, make_context(tmp_path)[0])


def test_a_space_without_networks_is_refused_with_what_would_work(pictures: Path):
    with pytest.raises(SpecError, match=r"space\.kind: 'parameters' makes no networks .*: .*code, .*layers; .*kind: function"):
        TrainingEvaluator(Parameters({"x": {"uniform": [0, 1]}}), pictures, ACCURACY, 1)


def test_the_evaluator_travels_to_a_worker(pictures: Path):
    evaluator = classify(pictures)
    assert cloudpickle.loads(cloudpickle.dumps(evaluator)) == evaluator


def test_nothing_of_a_trial_is_left_in_the_process(tmp_path: Path, pictures: Path):
    import keras
    from tensorflow.python.framework.func_graph import FuncGraph

    def left() -> int:
        gc.collect()
        return sum(isinstance(thing, keras.Model | FuncGraph) for thing in gc.get_objects())

    classify(pictures, epochs=1).evaluate(GOOD, make_context(tmp_path)[0])
    before = left()
    for _ in range(2):
        classify(pictures, epochs=1).evaluate(GOOD, make_context(tmp_path)[0])
    assert left() <= before


def test_a_network_is_measured_by_what_the_search_asks_for(tmp_path: Path, pictures: Path):
    aims = Aims((ACCURACY, Objective("latency_ms")), (Constraint("parameters", "<=", 1000),))
    context, reports = make_context(tmp_path)
    evaluator = TrainingEvaluator.for_aims(CLASSIFIER, pictures, aims, EvaluationSpec(epochs=1))
    metrics = evaluator.evaluate(GOOD, context)
    assert metrics["parameters"] == context.facts["parameters"]
    assert 0 < metrics["latency_ms"] < 1000
    assert "latency_ms" not in reports[0][1]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_what_a_training_is_known_to_report_is_what_it_reports(tmp_path: Path, pictures: Path, houses: Path, task: str):
    space, dataset = (CLASSIFIER, pictures) if task == "classification" else (REGRESSOR, houses)
    context, reports = make_context(tmp_path)
    metrics = TrainingEvaluator(space, dataset, LOSS, 1).evaluate(GOOD, context)
    assert set(metrics) == set(reports[0][1]) == set(reported(task))


def test_a_search_whose_metrics_need_a_missing_package_ends_before_its_first_trial(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
):
    aims = [{"metric": "val_loss", "goal": "minimize"}, {"metric": "latency_onnx_ms", "goal": "minimize"}]
    spec = parse_spec({"data": {"uri": "arrays"}, "space": CLASSIFIER.to_json(), "objectives": aims})
    monkeypatch.setattr(_runtimes, "find_spec", lambda _: None)
    with pytest.raises(SpecError, match="latency_onnx_ms: needs onnx and tf2onnx and onnxruntime; install with: pip"):
        search(spec, tmp_path / "study", pictures)
    with Record.read(tmp_path / "study") as record:
        assert record.trials() == []


@pytest.mark.parametrize(
    ("aims", "objective"),
    [
        (Aims((Objective("latency_ms"), ACCURACY)), ACCURACY),
        (Aims((Objective("parameters"),), (Constraint("val_accuracy", ">=", 0.9),)), ACCURACY),
        (Aims((Objective("parameters"),), (Constraint("val_loss", "<=", 0.9),)), LOSS),
        (Aims((Objective("parameters"),), (Constraint("latency_ms", "<=", 5),)), LOSS),
    ],
)
def test_the_best_epoch_is_told_by_the_first_metric_that_a_training_reports(aims: Aims, objective: Objective, pictures: Path):
    assert TrainingEvaluator.for_aims(CLASSIFIER, pictures, aims, EvaluationSpec(epochs=1)).objective == objective
