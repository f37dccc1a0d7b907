"""The step that prepares a data set."""

from kfp import dsl
from kfp.dsl import Dataset, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def prepare_data(
    dataset: Output[Dataset],
    data_uri: str,
    target_column: str = "",
    task: str = "auto",
    validation_share: float = 0.2,
    test_share: float = 0.2,
    random_seed: int = 0,
    split: str = "random",
) -> str:
    """Read, check and split a data set.

    Args:
        dataset: The prepared data set, a folder: dataset.json, and the arrays of the splits train, validation and test.
        data_uri: digits (bundled handwritten digits), or the storage URI or path of a .csv, .tsv (also .gz) or .npz file.
        target_column: A table's column to be predicted; empty takes the one named target, label, class or y.
        task: classification, regression, or auto to decide by the target's values.
        validation_share: Share of all examples by which the search compares candidates.
        test_share: Share of all examples that judges the final model; neither search nor training sees it.
        random_seed: Decides which examples come into which split.
        split: random, or content: an example's content decides, so that it stays in its split when others are added.

    Returns:
        The data set's fingerprint: another one means that the content or the split has changed.
    """
    from pathlib import Path

    from tunesmith.steps import prepare_step

    arguments = {
        "data_uri": data_uri,
        "target_column": target_column,
        "task": task,
        "validation_share": validation_share,
        "test_share": test_share,
        "random_seed": random_seed,
        "split": split,
    }
    dataset.metadata.update(prepare_step(Path(dataset.path), arguments))
    return dataset.metadata["fingerprint"]
