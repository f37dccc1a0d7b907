"""The step that trains the winner."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Model, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_model(
    dataset: Input[Dataset],
    study: Input[Artifact],
    model: Output[Model],
    drawing: Output[HTML],
    metrics: Output[Metrics],
    refit_on_all_data: bool = True,
    final_epochs: int = 0,
) -> None:
    """Train the best candidate of a search.

    Args:
        dataset: The prepared data set of the search.
        study: The search's trials, as search_model leaves them.
        model: The trained model, a folder: model.keras, and what it takes to feed it.
        drawing: A drawing of the network.
        metrics: Size of the network, epochs trained, and the figures of the trial that won.
        refit_on_all_data: Train anew on the training and validation splits together; else keep the winning trial's model.
        final_epochs: Epochs to train anew, the learning rate falling to nothing; 0: those that were best in the winning trial.
    """
    from pathlib import Path

    from tunesmith.steps import train_step

    paths = (Path(artifact.path) for artifact in (study, dataset, model, drawing))
    figures = train_step(*paths, refit=refit_on_all_data, epochs=final_epochs)
    for name, value in figures.items():
        metrics.log_metric(name, value)
    model.metadata.update({"framework": "keras", **metrics.metadata})
