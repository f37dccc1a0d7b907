"""The step that puts a model to use."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Model, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def promote_model(
    model: Input[Model],
    study: Input[Artifact],
    evaluation: Input[Artifact],
    exports: Input[Model],
    comparison: Input[Artifact],
    promoted: Output[Artifact],
    registry_uri: str,
    champion_version: str = "",
) -> str:
    """Put a model to use: store it in the registry and name it the champion; the one before stays in the registry.

    Args:
        model: The new model, as train_model leaves it.
        study: The search that it came from; the next search begins with its best candidates.
        evaluation: The new model's figures, as evaluate_model leaves them.
        exports: The exported model, as export_model leaves it.
        comparison: The decision, as compare_models leaves it.
        promoted: The promotion's entry in the registry's history.
        registry_uri: Where the registry lies, as for load_champion.
        champion_version: The model in use with which the new one was compared; the step fails if it is another by now.

    Returns:
        The version of the new model.
    """
    import json
    from pathlib import Path

    from tunesmith.steps import promote_step

    parts = {"model": model, "study": study, "evaluation": evaluation, "exports": exports}
    entry = promote_step(
        registry_uri=registry_uri,
        parts={name: Path(part.path) for name, part in parts.items()},
        champion_version=champion_version,
        comparison=Path(comparison.path),
    )
    Path(promoted.path).write_text(json.dumps(entry))
    promoted.metadata.update(entry)
    return entry["version"]
