"""The step that fetches the model in use."""

from kfp import dsl
from kfp.dsl import Model, Output

from tunesmith.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def load_champion(champion: Output[Model], registry_uri: str) -> str:
    """Fetch the model in use from the registry, with the study that it came from.

    Args:
        champion: The model in use, a folder: champion.json, model/ and study/; without a model in use only champion.json.
        registry_uri: Where the registry lies: a storage URI such as s3://bucket/models, or a path of a mounted volume.

    Returns:
        The version of the model in use; empty where there is none yet.
    """
    from pathlib import Path

    from tunesmith.steps import champion_step

    champion.metadata.update(champion_step(registry_uri, Path(champion.path)))
    return champion.metadata["version"]
