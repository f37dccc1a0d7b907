"""Retrains a model on fresh data, and promotes it only where it is better than the one in use. Made for recurring runs."""

# pyright: reportMissingImports=false
# (tunesmith.components is the folder components/, mapped by setuptools' package-dir, which pyright does not read)

from typing import Any

from kfp import dsl

from tunesmith.components.check_model.component import check_model
from tunesmith.components.compare_models.component import compare_models
from tunesmith.components.evaluate_model.component import evaluate_model
from tunesmith.components.export_model.component import export_model
from tunesmith.components.load_champion.component import load_champion
from tunesmith.components.prepare_data.component import prepare_data
from tunesmith.components.promote_model.component import promote_model
from tunesmith.components.search_model.component import search_model
from tunesmith.components.train_model.component import train_model


@dsl.pipeline(
    name="retrain", description="Retrains a model on fresh data and promotes it where it is better than the one in use."
)
def retrain(
    registry_uri: str = "",
    data_uri: str = "digits",
    target_column: str = "",
    task: str = "auto",
    validation_share: float = 0.2,
    test_share: float = 0.2,
    search_space: dict[str, Any] = {"kind": "layers"},  # noqa: B006 (kfp reads the default, nobody changes it)
    strategy: str = "auto",
    trial_scheduler: str = "none",
    trials: int = 12,
    parallel_trials: int = 2,
    search_time_limit_hours: float = 0.0,
    epochs_per_trial: int = 20,
    early_stopping_patience: int = 5,
    training_examples: str = "all",
    trial_memory_limit: str = "",
    trial_time_limit_seconds: float = 0.0,
    refit_on_all_data: bool = True,
    compare_by: str = "auto",
    margin: float = 0.0,
    replace_unfit_champion: bool = False,
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
    """Retrain a model on fresh data, and promote it where it is better than the one in use.

    Args:
        registry_uri: Where the models in use are kept: a storage URI such as s3://bucket/models, or a path of a mounted volume.
        data_uri: digits, or the storage URI or path of a .csv, .tsv (also .gz) or .npz file; it is read in every run.
        target_column: A table's column to be predicted; empty takes the one named target, label, class or y.
        task: classification, regression, or auto to decide by the target's values.
        validation_share: Share of all examples by which the search compares candidates.
        test_share: Share of all examples that judges both models; neither search nor training sees it.
        search_space: What may be chosen, as the section `space` of a search file: its kind and its settings.
        strategy: What proposes candidates, such as auto, tpe or random.
        trial_scheduler: What ends poor trials early: median, halving, hyperband, curve, or none.
        trials: Candidates to try in all; the best ones of the search behind the model in use come first.
        parallel_trials: Candidates to train at a time.
        search_time_limit_hours: Ends the search after this time with what it has found; 0 sets no limit.
        epochs_per_trial: Epochs that a candidate is trained for at most.
        early_stopping_patience: Ends a training after so many epochs without improvement; 0 never does.
        training_examples: What an epoch of a trial trains on: all examples, or growing, a share of them that becomes all.
        trial_memory_limit: Memory that a trial may use, such as 4Gi; beyond it the trial fails. Empty sets no limit.
        trial_time_limit_seconds: Time that a trial may take; beyond it the trial fails. 0 sets no limit.
        refit_on_all_data: Train the winner anew on the training and validation splits together; else keep its trial's model.
        compare_by: accuracy, macro_f1, log_loss, roc_auc, r2, rmse or mae; auto takes accuracy or r2, by the task.
        margin: The new model is promoted where it is better by more than this, in the metric's units.
        replace_unfit_champion: Promote the new model also where the model in use cannot judge the data; else the run fails.
        min_test_accuracy: The run fails below this test accuracy of a classification; 0 asks nothing.
        min_test_r2: The run fails below this test R² of a regression; 0 asks nothing.
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
        # An example that was for testing stays for testing: the model in use has not been trained on it.
        split="content",
    )
    loaded = load_champion(registry_uri=registry_uri)
    # Neither the content behind an unchanged URI nor the model in use is known without looking.
    prepared.set_caching_options(False)
    loaded.set_caching_options(False)
    dataset, champion = prepared.outputs["dataset"], loaded.outputs["champion"]
    searched = search_model(
        dataset=dataset,
        champion=champion,
        search_space=search_space,
        strategy=strategy,
        trial_scheduler=trial_scheduler,
        trials=trials,
        parallel_trials=parallel_trials,
        search_time_limit_hours=search_time_limit_hours,
        epochs_per_trial=epochs_per_trial,
        early_stopping_patience=early_stopping_patience,
        training_examples=training_examples,
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
    trained = train_model(dataset=dataset, study=study, refit_on_all_data=refit_on_all_data)
    model = trained.outputs["model"]
    evaluation = evaluate_model(dataset=dataset, study=study, model=model).outputs["evaluation"]
    checked = check_model(evaluation=evaluation, min_accuracy=min_test_accuracy, min_r2=min_test_r2)
    compared = compare_models(
        dataset=dataset,
        evaluation=evaluation,
        champion=champion,
        compare_by=compare_by,
        margin=margin,
        replace_unfit_champion=replace_unfit_champion,
    )
    compared.after(checked)
    with dsl.If(compared.outputs["Output"] == True, name="better"):  # noqa: E712 (kfp builds a condition of it)
        exported = export_model(dataset=dataset, study=study, model=model, evaluation=evaluation, export_formats=export_formats)
        promoted = promote_model(
            model=model,
            study=study,
            evaluation=evaluation,
            exports=exported.outputs["exports"],
            comparison=compared.outputs["comparison"],
            registry_uri=registry_uri,
            champion_version=loaded.outputs["Output"],
        )
        # What it does happens outside: a promotion taken from the cache would be none.
        promoted.set_caching_options(False)
