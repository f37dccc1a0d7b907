"""The step that searches how a found architecture is trained."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def tune_training(
    dataset: Input[Dataset],
    study: Input[Artifact],
    tuned: Output[Artifact],
    report: Output[HTML],
    metrics: Output[Metrics],
    tune_trials: int = 0,
    final_epochs: int = 0,
    engine: str = "local",
) -> None:
    """Search how the winner of a search for architectures is trained, at its full size.

    With the engine katib the trials are pods of a Katib experiment, of the same image, GPUs and so on as the search's.

    Args:
        dataset: The prepared data set of the search.
        study: The search's trials, as search_architecture leaves them.
        tuned: The trials of the winner's training, a study again; without trials that of the search.
        report: Figures, curves and leaderboard of that study.
        metrics: The best validation figure and how many trials ended how.
        tune_trials: Trainings to try in all, the first as the winner was found; 0 leaves the training as it is.
        final_epochs: Epochs that a trial is trained for at most; 0: as many as in the search.
        engine: Where the trials run: local (in this step's pod) or katib (each in a pod of its own).
    """
    from pathlib import Path

    from tunesmith.steps import Uris, tune_step

    figures = tune_step(
        *(Path(folder.path) for folder in (study, dataset, tuned, report)),
        trials=tune_trials,
        epochs=final_epochs,
        engine=engine,
        uris=Uris(dataset.uri, tuned.uri),
    )
    for name, value in figures.items():
        metrics.log_metric(name, value)
    tuned.metadata.update(metrics.metadata)
