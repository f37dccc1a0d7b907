"""Makes the Katib engine for a search: gives the study an id, and brings its data and code to the cluster's storage."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from tunesmith import storage
from tunesmith.data.info import DatasetInfo
from tunesmith.engines.katib import Katib, Place
from tunesmith.errors import SpecError
from tunesmith.files import write_json
from tunesmith.image import GPU_IMAGE, IMAGE
from tunesmith.katib.cluster import Cluster
from tunesmith.sections import VolumeSpec
from tunesmith.spec import Spec

# Remembers the study's id between two calls.
IDENTITY = "katib.json"
# An experiment's name (at most 40 characters) is the id, the number of its first trial and four digits of its own.
LONGEST_ID = 28
NOT_TOLD = ("cluster", "warm_start", "gate", "budget")


def katib_engine(
    spec: Spec, content: Mapping[str, Any], folder: Path, dataset: Path | None = None, place: Place | None = None
) -> Katib:
    """Return the engine for a study in `folder`; without `place`, data and code are copied to `cluster.storage`.

    Raises SpecError for what a cluster cannot run: no storage, a space that is the user's code.
    """
    if content["space"]["kind"] == "code":
        raise SpecError("space.kind: 'code' cannot be searched on a cluster; declare the space (kind: parameters or layers)")
    settings = spec.file.cluster
    place = place or _bring(spec, folder, dataset)
    told = {key: value for key, value in content.items() if key not in NOT_TOLD}
    if place.code:
        told["evaluation"] = {**told["evaluation"], "function": Path(told["evaluation"]["function"]).name}
    return Katib(
        *(Cluster.connect(settings.namespace), settings, spec.file.resources, told, place),
        image=settings.image or (GPU_IMAGE if spec.file.resources.gpu else IMAGE),
        gpu_hours=spec.file.budget.gpu_hours,
    )


def new_id(stem: str, suffix: str) -> str:
    """Return a study's id, fit for labels and for the start of an experiment's name."""
    words = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    words = words if words[:1].isalpha() else f"study-{words}".rstrip("-")
    return f"{words[: LONGEST_ID - len(suffix) - 1].rstrip('-')}-{suffix}"


def _bring(spec: Spec, folder: Path, dataset: Path | None) -> Place:
    """Copy what trials need to the storage; what is there already stays."""
    root = spec.file.cluster.storage
    if not root:
        raise SpecError(
            "cluster.storage: is missing; trials on a cluster need a place for data and models that this machine reaches too, "
            "such as s3://bucket/prefix, or the path of a volume mounted at the same place in both"
        )
    _check_reach(root, spec.file.cluster.volumes)
    study_id = _identity(folder)
    study = storage.join(root, study_id)
    return Place(study_id, study, _bring_data(study, dataset) if dataset else "", _bring_code(study, spec))


def _check_reach(root: str, volumes: Sequence[VolumeSpec]) -> None:
    """Raise SpecError for a path that trial pods cannot write to: they see the volumes that are named, and nothing else."""
    path = root.removeprefix("file://")
    if "://" in path:
        return
    if not path.startswith("/"):
        raise SpecError(
            f"cluster.storage: got {root!r}; needs a URI such as s3://bucket/prefix, or an absolute path on a volume"
        )
    if not any(PurePosixPath(path).is_relative_to(volume.path) and not volume.read_only for volume in volumes):
        known = ", ".join(f"{volume.path}{' (read only)' if volume.read_only else ''}" for volume in volumes) or "none"
        raise SpecError(
            f"cluster.storage: {root} is on no volume that the trials may write to; cluster.volumes has {known}; "
            "mount one there, at the same path as on this machine"
        )


def _identity(folder: Path) -> str:
    """Return the id of the study in `folder`, a new one at the first call."""
    path = folder / IDENTITY
    if not path.exists():
        name = folder.parent.name if folder.name == "study" else folder.name
        write_json(path, {"study_id": new_id(name, secrets.token_hex(4))})
    return json.loads(path.read_text(encoding="utf-8"))["study_id"]


def _bring_data(study: str, dataset: Path) -> str:
    """Copy the prepared data, unless they are there; the file that describes them comes last."""
    target = storage.join(study, "dataset", DatasetInfo.load(dataset).fingerprint)
    if not storage.exists(storage.join(target, "dataset.json")):
        storage.upload(dataset, target)
    return target


def _bring_code(study: str, spec: Spec) -> str:
    """Copy the folder's Python files beside the user's function, so that it may import them."""
    source = (spec.file.evaluation.function or "").rpartition(":")[0]
    if not source.endswith(".py"):
        return ""
    target = storage.join(study, "code")
    for path in sorted((spec.folder / source).parent.glob("*.py")):
        storage.upload(path, storage.join(target, path.name))
    return target
