"""The sections of the search file, each with its keys, their ranges and defaults."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_serializer

from tunesmith.errors import SpecError
from tunesmith.registry import Checked

UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "K": 10**3, "M": 10**6, "G": 10**9}


def parse_bytes(text: object) -> int:
    """Read a quantity of memory as Kubernetes writes it (`512Mi`, `8Gi`, bytes); raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|K|M|G)?", str(text))
    if not match or float(match[1]) <= 0:
        raise ValueError(f"needs a quantity of memory such as 512Mi or 8Gi, not {text!r}")
    return int(float(match[1]) * UNITS[match[2] or ""])


Bytes = Annotated[int, BeforeValidator(parse_bytes)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]


class Section(Checked):
    """A part of the search file; an unknown key is an error."""


class DataSpec(Section):
    """Where the examples come from and how they are split.

    `uri`: `digits`, or the path or storage URI of a `.csv`, `.tsv` (also `.gz`) or `.npz` file. `target`: the label's column
    of a table. `validation` and `test`: shares of the whole; a file that brings a test split of its own keeps it. `split`:
    `content` lets an example's content decide, so that it stays in its split when others are added. `fingerprint`: refuse
    any other content than that of this fingerprint.
    """

    uri: str
    task: Literal["auto", "classification", "regression"] = "auto"
    target: str | None = None
    validation: Fraction = 0.2
    test: Fraction = 0.2
    seed: int = Field(default=0, ge=0)
    split: Literal["content"] | None = None
    fingerprint: str | None = None


class EarlyStopping(Section):
    """Ends a training when the validation score has not improved for `patience` epochs."""

    patience: int = Field(ge=1)


class EvaluationSpec(Section):
    """How a candidate is judged: `training` of a network, or a `function` of the user's (`file.py:function`).

    `sha256`: of the function's code, as a study records it. `examples`: what an epoch trains on, all or a share that grows.
    `share`: of the training examples that a trial sees at all, chosen `by` their classes or by clusters. `size`: of the
    networks that are compared, where the space's own sizes are those of the final one.
    """

    kind: Literal["training", "function"] = "training"
    function: str | None = None
    sha256: str | None = None
    epochs: int = Field(default=20, ge=1)
    early_stopping: EarlyStopping | None = None
    examples: Literal["all", "growing"] = "all"
    share: float = Field(default=1.0, gt=0, le=1)
    by: Literal["classes", "clusters"] = "classes"
    size: dict[str, Annotated[int, Field(ge=1, strict=True)]] | None = Field(default=None, min_length=1)


class FinalSpec(Section):
    """How the winner is trained at its full size.

    `epochs`: of the final training; without it those that were best in the winner's trial. `tune`: trials in which how the
    winner is trained is searched first, at full size; 0: it is trained as it was found. `fidelity`: trials of all ranks that
    are trained in full, too, so that the report tells how far the comparison foretold that; 0: none, else 3 at least.
    """

    epochs: int | None = Field(default=None, ge=1)
    tune: int = Field(default=0, ge=0)
    fidelity: int = Field(default=0, ge=0)


class BudgetSpec(Section):
    """What a search may use: trials in all, trials at a time, hours of wall-clock time, hours of GPUs (on a cluster).

    What a cluster's trials hold counts as GPU hours from a pod's start to its end, evicted attempts included.
    """

    trials: int = Field(default=30, ge=1)
    parallel: int = Field(default=1, ge=1, le=256)
    hours: float | None = Field(default=None, gt=0)
    gpu_hours: float | None = Field(default=None, gt=0)


class ResourcesSpec(Section):
    """Limits of one trial: memory (`8Gi`) and seconds; a trial beyond them fails, the search goes on.

    Memory is what the trial and the processes it starts hold beyond what its worker held before its first trial (the imported
    libraries), so `300Mi` is the trial's own. `gpu` and `cpu` are what a trial's pod asks of a cluster.
    """

    memory: Bytes | None = None
    seconds: float | None = Field(default=None, gt=0)
    gpu: int = Field(default=0, ge=0, le=64)
    cpu: float = Field(default=1, gt=0)


class Toleration(Section):
    """A taint of nodes that trial pods accept, as Kubernetes writes it."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class VolumeSpec(Section):
    """A PersistentVolumeClaim that trial pods see at `path`."""

    claim: KubernetesName
    path: str = Field(pattern="^/.+")
    read_only: bool = False


class ClusterSpec(Section):
    """Where and how the trials run on a cluster; nothing here makes a study another one.

    `storage`: where data and models lie, reached by this machine and the trial pods: `s3://bucket/prefix`, `minio://…`,
    `gs://…`, or the path of a volume mounted at the same place in both. `secrets`: Secrets whose keys become environment
    variables (credentials of the storage). `start_seconds`: how long pods may fail to start before the search gives up;
    waiting for a free GPU does not count.
    """

    namespace: KubernetesName | None = None
    image: str | None = Field(default=None, min_length=1)
    storage: str | None = Field(default=None, min_length=1)
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)
    priority_class: KubernetesName | None = None
    service_account: KubernetesName | None = None
    image_pull_secrets: list[KubernetesName] = Field(default_factory=list)
    volumes: list[VolumeSpec] = Field(default_factory=list)
    secrets: list[KubernetesName] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    gpu_resource: str = Field(default="nvidia.com/gpu", pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")
    start_seconds: float = Field(default=600, gt=0)


class GateSpec(Section):
    """What the trained model must reach on the test split: an accuracy for a classification, an R2 for a regression."""

    min_accuracy: float | None = Field(default=None, ge=0, le=1)
    min_r2: float | None = Field(default=None, le=1, allow_inf_nan=False)

    def check_task(self, task: str) -> None:
        """Raise SpecError for a limit that the data's task has no figure for."""
        other, right = ("min_r2", "min_accuracy") if task == "classification" else ("min_accuracy", "min_r2")
        if getattr(self, other) is not None:
            raise SpecError(f"gate.{other}: the data are a {task}; use {right}")


class ObjectiveSpec(Section):
    """A reported metric and its direction."""

    metric: str = Field(min_length=1)
    goal: Literal["minimize", "maximize"]


class EarlierSpec(Section):
    """An earlier study's folder; `rename` tells which of its parameters have another name now (`{old: new}`).

    `unimportant`: its parameters that hardly mattered; a trial is learned from whatever it had there.
    """

    study: str = Field(min_length=1)
    rename: dict[str, str] = Field(default_factory=dict)
    unimportant: list[str] = Field(default_factory=list)

    @model_serializer
    def _plain(self) -> str | dict[str, Any]:
        told = {"rename": dict(self.rename), "unimportant": list(self.unimportant)}
        given = {key: value for key, value in told.items() if value}
        return {"study": self.study, **given} if given else self.study


def _folder_alone(entry: object) -> object:
    return {"study": entry} if isinstance(entry, str) else entry


class SearchFile(Section):
    """The whole search file, its open sections (space, strategy, scheduler) still unread.

    `warm_start`: folders of earlier studies, whose best candidates are tried first and whose trials the strategy learns from.
    """

    data: DataSpec | None = None
    space: dict[str, Any]
    strategy: dict[str, Any] = Field(default_factory=lambda: {"name": "auto"})
    scheduler: dict[str, Any] | None = None
    objectives: list[ObjectiveSpec] | None = Field(default=None, min_length=1)
    constraints: list[str] | None = Field(default=None, min_length=1)
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec)
    budget: BudgetSpec = Field(default_factory=BudgetSpec)
    resources: ResourcesSpec = Field(default_factory=ResourcesSpec)
    cluster: ClusterSpec = Field(default_factory=ClusterSpec)
    warm_start: list[Annotated[EarlierSpec, BeforeValidator(_folder_alone)]] | None = Field(default=None, min_length=1)
    final: FinalSpec = Field(default_factory=FinalSpec)
    gate: GateSpec | None = None
