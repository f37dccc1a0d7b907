"""The step that judges the model."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate_model(
    dataset: Input[Dataset],
    model: Input[Model],
    evaluation: Output[Artifact],
    classification: Output[ClassificationMetrics],
    metrics: Output[Metrics],
    report: Output[HTML],
    study: Input[Artifact] = None,  # pyright: ignore[reportArgumentType] (kfp's way to say that it may be left out)
) -> None:
    """Judge a model on the test split, which neither search nor training has seen.

    Args:
        dataset: The prepared data set.
        model: The trained model, as train_model leaves it.
        evaluation: All figures, a folder with evaluation.json.
        classification: The confusion matrix and, for two classes, the ROC curve.
        metrics: The figures of quality, size and speed.
        report: The figures with, where given, the search that led to them.
        study: The search's trials, for the report.
    """
    from pathlib import Path

    from tunesmith.steps import evaluate_step

    judged = evaluate_step(
        model=Path(model.path),
        dataset=Path(dataset.path),
        study=Path(study.path) if study else None,
        evaluation=Path(evaluation.path),
        report=Path(report.path),
    )
    for name, value in judged.figures.metrics.items():
        metrics.log_metric(f"test_{name}", value)
    metrics.log_metric("model_bytes", judged.size)
    metrics.log_metric("milliseconds_per_example", judged.latency.median_ms)
    if judged.figures.confusion:
        names = [figures.name for figures in judged.figures.classes]
        classification.log_confusion_matrix(names, [list(row) for row in judged.figures.confusion])
    if judged.figures.roc:
        points = [(point.false_positive_rate, point.true_positive_rate, point.threshold) for point in judged.figures.roc]
        classification.log_roc_curve(*(list(values) for values in zip(*points, strict=True)))
