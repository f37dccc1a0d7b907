"""From a data set to an architecture found for it, and its model: tuned, trained at full size, judged and exported."""

# pyright: reportMissingImports=false
# (tunesmith.components is the folder components/, mapped by setuptools' package-dir, which pyright does not read)

from typing import Any

from kfp import dsl

from tunesmith.components.check_model.component import check_model
from tunesmith.components.evaluate_model.component import evaluate_model
from tunesmith.components.export_model.component import export_model
from tunesmith.components.prepare_data.component import prepare_data
from tunesmith.components.search_architecture.component import search_architecture
from tunesmith.components.train_model.component import train_model
from tunesmith.components.tune_training.component import tune_training

SPACE = {"kind": "cells_nasbench201", "stages": 2, "cells": 2, "filters": 16}


@dsl.pipeline(name="design", description="Finds an architecture for a data set, trains it at full size, judges and exports it.")
def design(
    data_uri: str = "digits",
    target_column: str = "",
    task: str = "auto",
    validation_share: float = 0.2,
    test_share: float = 0.2,
    search_space: dict[str, Any] = SPACE,
    search_size: dict[str, Any] = {"cells": 1, "filters": 8},  # noqa: B006 (kfp reads the default, nobody changes it)
    strategy: str = "auto",
    trial_scheduler: str = "none",
    objectives: list[dict[str, Any]] = [],  # noqa: B006
    constraints: list[str] = [],  # noqa: B006
    trials: int = 24,
    parallel_trials: int = 2,
    search_time_limit_hours: float = 0.0,
    epochs_per_trial: int = 4,
    early_stopping_patience: int = 0,
    training_examples: str = "all",
    training_share: float = 1.0,
    training_by: str = "classes",
    trial_memory_limit: str = "",
    trial_time_limit_seconds: float = 0.0,
    fidelity_trials: int = 0,
    tune_trials: int = 0,
    final_epochs: int = 20,
    min_test_accuracy: float = 0.0,
    min_test_r2: float = 0.0,
    export_formats: list[str] = ["saved_model", "onnx"],  # noqa: B006
    random_seed: int = 0,
    engine: str = "local",
    cluster: dict[str, Any] = {},  # noqa: B006
    gpus_per_trial: int = 0,
    cpus_per_trial: float = 1.0,
    gpu_hours_limit: float = 0.0,
) -> None:
    """Design an architecture: search it small, tune and train it at full size, judge and export it.

    Args:
        data_uri: digits (bundled handwritten digits), or the storage URI or path of a .csv, .tsv (also .gz) or .npz file.
        target_column: A table's column to be predicted; empty takes the one named target, label, class or y.
        task: classification, regression, or auto to decide by the target's values.
        validation_share: Share of all examples by which the search compares candidates.
        test_share: Share of all examples that judges the final model; neither search nor training sees it.
        search_space: What may be chosen, as the section `space` of a search file: its kind, and the sizes of the final network.
        search_size: Sizes of the networks that are compared, such as {"cells": 1, "filters": 8}; empty: those of the final one.
        strategy: What proposes candidates, such as auto, evolution or random.
        trial_scheduler: What ends poor trials early: median, halving, hyperband, curve, or none.
        objectives: What is sought, as a search file's section: [{"metric": "val_accuracy", "goal": "maximize"}, ...].
        constraints: Bounds that candidates must keep, such as ["parameters <= 500000"].
        trials: Candidates to try in all.
        parallel_trials: Candidates to train at a time.
        search_time_limit_hours: Ends the search after this time with what it has found; 0 sets no limit.
        epochs_per_trial: Epochs that a candidate is trained for at most.
        early_stopping_patience: Ends a training after so many epochs without improvement; 0 never does.
        training_examples: What an epoch of a trial trains on: all examples, or growing, a share of them that becomes all.
        training_share: Share of the training examples that a trial sees at all.
        training_by: What such a share holds: classes, as often as in the whole, or clusters, the nearest to their centres.
        trial_memory_limit: Memory that a trial may use, such as 4Gi; beyond it the trial fails. Empty sets no limit.
        trial_time_limit_seconds: Time that a trial may take; beyond it the trial fails. 0 sets no limit.
        fidelity_trials: Trials of all ranks trained in full, to tell how far the comparison foretold that; 0, or at least 3.
        tune_trials: Trials at full size in which the training of the winner is searched; 0 trains it as it was found.
        final_epochs: Epochs of the final training, and of the trials of the tuning at most; after a tuning the best of these.
        min_test_accuracy: The pipeline fails below this test accuracy of a classification; 0 asks nothing.
        min_test_r2: The pipeline fails below this test R² of a regression; 0 asks nothing.
        export_formats: Formats to export, such as saved_model and onnx.
        random_seed: Decides the splits and all that is random in the search.
        engine: Where trials run: local (in the search step's own pod) or katib (each in a pod of its own).
        cluster: How katib's trials run, as the section `cluster` of a search file: namespace, image, tolerations and so on.
        gpus_per_trial: GPUs that each of katib's trials asks for.
        cpus_per_trial: CPU cores that each of katib's trials asks for.
        gpu_hours_limit: Ends a search on katib when its trials have held GPUs for so long; 0 sets no limit.
    """
    prepared = prepare_data(
        data_uri=data_uri,
        target_column=target_column,
        task=task,
        validation_share=validation_share,
        test_share=test_share,
        random_seed=random_seed,
    )
    # The content behind an unchanged URI may change: only reading it tells, so this step is never taken from the cache.
    prepared.set_caching_options(False)
    dataset = prepared.outputs["dataset"]
    searched = search_architecture(
        dataset=dataset,
        search_space=search_space,
        search_size=search_size,
        strategy=strategy,
        trial_scheduler=trial_scheduler,
        objectives=objectives,
        constraints=constraints,
        trials=trials,
        parallel_trials=parallel_trials,
        search_time_limit_hours=search_time_limit_hours,
        epochs_per_trial=epochs_per_trial,
        early_stopping_patience=early_stopping_patience,
        training_examples=training_examples,
        training_share=training_share,
        training_by=training_by,
        fidelity_trials=fidelity_trials,
        final_epochs=final_epochs,
        trial_memory_limit=trial_memory_limit,
        trial_time_limit_seconds=trial_time_limit_seconds,
        random_seed=random_seed,
        dataset_fingerprint=prepared.outputs["Output"],
        engine=engine,
        cluster=cluster,
        gpus_per_trial=gpus_per_trial,
        cpus_per_trial=cpus_per_trial,
        gpu_hours_limit=gpu_hours_limit,
    )
    study = searched.outputs["study"]
    tuning = tune_training(dataset=dataset, study=study, tune_trials=tune_trials, final_epochs=final_epochs, engine=engine)
    tuned = tuning.outputs["tuned"]
    model = train_model(dataset=dataset, study=tuned).outputs["model"]
    evaluation = evaluate_model(dataset=dataset, study=study, model=model).outputs["evaluation"]
    checked = check_model(evaluation=evaluation, min_accuracy=min_test_accuracy, min_r2=min_test_r2)
    exported = export_model(dataset=dataset, study=study, model=model, evaluation=evaluation, export_formats=export_formats)
    # Nothing passes from one to the other: a model that is not good enough must not be exported.
    exported.after(checked)
