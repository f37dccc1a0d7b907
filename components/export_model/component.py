"""The step that exports the model and writes the final report."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Model, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def export_model(
    dataset: Input[Dataset],
    study: Input[Artifact],
    model: Input[Model],
    evaluation: Input[Artifact],
    exports: Output[Model],
    report: Output[HTML],
    export_formats: list[str],
) -> None:
    """Export a model into the formats that others load, each compared with the original, and write the final report.

    Args:
        dataset: The prepared data set, for the comparison.
        study: The search's trials, for the report.
        model: The trained model, as train_model leaves it.
        evaluation: The model's figures, for the report.
        exports: The exported models: a folder of each format's name, and export.json.
        report: The whole run: figures, leaderboard, curves, network and exports.
        export_formats: Formats to export, such as saved_model and onnx.
    """
    from pathlib import Path

    from tunesmith.steps import export_step

    exports.metadata.update(
        export_step(
            model=Path(model.path),
            dataset=Path(dataset.path),
            study=Path(study.path),
            evaluation=Path(evaluation.path),
            exports=Path(exports.path),
            report=Path(report.path),
            formats=export_formats,
        )
    )
