"""The step that holds the model to what is asked of it."""

from kfp import dsl
from kfp.dsl import Artifact, Input

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def check_model(evaluation: Input[Artifact], min_accuracy: float = 0.0, min_r2: float = 0.0) -> str:
    """Fail where a judged model is not good enough.

    This is a step of its own, since Kubeflow keeps nothing that a failing step has made: the figures are evaluate_model's.

    Args:
        evaluation: The model's figures, as evaluate_model leaves them.
        min_accuracy: The step fails below this accuracy of a classification; 0 asks nothing.
        min_r2: The step fails below this R² of a regression; 0 asks nothing.

    Returns:
        What became of the limits: passed, or off where none was set.
    """
    from pathlib import Path

    from tunesmith.steps import check_step

    return check_step(Path(evaluation.path), min_accuracy, min_r2)
