"""The step that searches for an architecture."""

from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def search_architecture(
    dataset: Input[Dataset],
    study: Output[Artifact],
    report: Output[HTML],
    leaderboard: Output[Markdown],
    architecture: Output[HTML],
    metrics: Output[Metrics],
    search_space: dict[str, Any],
    strategy: str = "auto",
    trial_scheduler: str = "none",
    objectives: list[dict[str, Any]] = [],  # noqa: B006 (kfp reads the default, nobody changes it)
    constraints: list[str] = [],  # noqa: B006
    trials: int = 30,
    parallel_trials: int = 2,
    search_time_limit_hours: float = 0.0,
    epochs_per_trial: int = 5,
    early_stopping_patience: int = 0,
    search_size: dict[str, Any] = {},  # noqa: B006
    training_examples: str = "all",
    training_share: float = 1.0,
    training_by: str = "classes",
    fidelity_trials: int = 0,
    final_epochs: int = 0,
    trial_memory_limit: str = "",
    trial_time_limit_seconds: float = 0.0,
    random_seed: int = 0,
    dataset_fingerprint: str = "",
    engine: str = "local",
    cluster: dict[str, Any] = {},  # noqa: B006
    gpus_per_trial: int = 0,
    cpus_per_trial: float = 1.0,
    gpu_hours_limit: float = 0.0,
) -> None:
    """Search the architecture of a network: train candidates, small and briefly, and compare them on the validation split.

    With the engine katib the trials are pods of a Katib experiment, which a retry of this step finds again.

    Args:
        dataset: The prepared data set, as prepare_data makes it.
        study: All trials, a folder: study.db, spec.yaml and trials/.
        report: Figures, curves and leaderboard of the search.
        leaderboard: The best trials as a table.
        architecture: A drawing of the best candidate's cells.
        metrics: The best validation figure and how many trials ended how.
        search_space: What may be chosen, as the section `space` of a search file: its kind, and the sizes of the final network.
        strategy: What proposes candidates, such as auto, tpe or random.
        trial_scheduler: What ends poor trials early: median, halving, hyperband, curve, or none.
        objectives: What is sought, as a search file's section: [{"metric": "val_accuracy", "goal": "maximize"}, ...].
        constraints: Bounds that candidates must keep, such as ["parameters <= 500000"].
        trials: Candidates to try in all.
        parallel_trials: Candidates to train at a time.
        search_time_limit_hours: Ends the search after this time with what it has found; 0 sets no limit.
        epochs_per_trial: Epochs that a candidate is trained for at most.
        early_stopping_patience: Ends a training after so many epochs without improvement; 0 never does.
        search_size: Sizes of the networks that are compared, such as {"cells": 1, "filters": 8}; empty: those of the final one.
        training_examples: What an epoch of a trial trains on: all examples, or growing, a share of them that becomes all.
        training_share: Share of the training examples that a trial sees at all.
        training_by: What such a share holds: classes, as often as in the whole, or clusters, the nearest to their centres.
        fidelity_trials: Trials of all ranks trained in full, here, to tell how far the comparison foretold that; 0: none.
        final_epochs: Epochs of such a full training; 0: as many as a candidate's.
        trial_memory_limit: Memory that a trial may use, such as 4Gi; beyond it the trial fails. Empty sets no limit.
        trial_time_limit_seconds: Time that a trial may take; beyond it the trial fails. 0 sets no limit.
        random_seed: Decides all that is random in the search.
        dataset_fingerprint: The fingerprint that the data set must have; being an input, it keeps results of other data apart.
        engine: Where the trials run: local (in this step's pod) or katib (each in a pod of its own).
        cluster: How katib's trials run, as the section `cluster` of a search file: namespace, image, tolerations and so on.
        gpus_per_trial: GPUs that each of katib's trials asks for.
        cpus_per_trial: CPU cores that each of katib's trials asks for.
        gpu_hours_limit: Ends a search on katib when its trials have held GPUs for so long; 0 sets no limit.
    """
    from pathlib import Path

    from tunesmith.steps import Uris, search_step

    arguments = {
        "search_space": search_space,
        "strategy": strategy,
        "trial_scheduler": trial_scheduler,
        "objectives": objectives,
        "constraints": constraints,
        "trials": trials,
        "parallel_trials": parallel_trials,
        "search_time_limit_hours": search_time_limit_hours,
        "epochs_per_trial": epochs_per_trial,
        "early_stopping_patience": early_stopping_patience,
        "search_size": search_size,
        "training_examples": training_examples,
        "training_share": training_share,
        "training_by": training_by,
        "fidelity_trials": fidelity_trials,
        "final_epochs": final_epochs,
        "trial_memory_limit": trial_memory_limit,
        "trial_time_limit_seconds": trial_time_limit_seconds,
        "random_seed": random_seed,
        "dataset_fingerprint": dataset_fingerprint,
        "engine": engine,
        "cluster": cluster,
        "gpus_per_trial": gpus_per_trial,
        "cpus_per_trial": cpus_per_trial,
        "gpu_hours_limit": gpu_hours_limit,
    }
    figures = search_step(
        dataset=Path(dataset.path),
        study=Path(study.path),
        report=Path(report.path),
        leaderboard=Path(leaderboard.path),
        arguments=arguments,
        uris=Uris(dataset.uri, study.uri),
        drawing=Path(architecture.path),
    )
    for name, value in figures.items():
        metrics.log_metric(name, value)
    study.metadata.update(metrics.metadata)
