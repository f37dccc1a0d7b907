"""The step that decides between the new model and the one in use."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Markdown, Metrics, Model, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def compare_models(
    dataset: Input[Dataset],
    evaluation: Input[Artifact],
    champion: Input[Model],
    comparison: Output[Artifact],
    verdict: Output[Markdown],
    metrics: Output[Metrics],
    compare_by: str = "auto",
    margin: float = 0.0,
    replace_unfit_champion: bool = False,
) -> bool:
    """Judge the model in use on the same fresh test split as the new one, and decide between the two.

    Args:
        dataset: The prepared data set of the new model.
        evaluation: The new model's figures, as evaluate_model leaves them.
        champion: The model in use, as load_champion leaves it.
        comparison: The decision, a folder: decision.json and, of the model in use, evaluation.json.
        verdict: Both models' figures side by side.
        metrics: The decision and the figures that led to it.
        compare_by: accuracy, macro_f1, log_loss, roc_auc, r2, rmse or mae; auto takes accuracy or r2, by the task.
        margin: The new model must be better by more than this, in the metric's units.
        replace_unfit_champion: Promote the new model also where the model in use cannot judge the data; else that is an error.

    Returns:
        Whether the new model is to take the place of the one in use.
    """
    from pathlib import Path

    from tunesmith.steps import compare_step, figures_of

    decision = compare_step(
        evaluation=Path(evaluation.path),
        champion=Path(champion.path),
        dataset=Path(dataset.path),
        comparison=Path(comparison.path),
        verdict=Path(verdict.path),
        asked={"compare_by": compare_by, "margin": margin, "replace_unfit_champion": replace_unfit_champion},
    )
    for name, value in figures_of(decision).items():
        metrics.log_metric(name, value)
    comparison.metadata["reason"] = decision.reason
    return decision.promote
