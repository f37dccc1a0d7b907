"""What a pipeline's steps ask of a cluster: read from a small file when the pipeline is compiled, applied to every step.

A local run knows nothing of it.
"""

from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from tunesmith.errors import SpecError
from tunesmith.registry import did_you_mean, explain_one
from tunesmith.sections import KubernetesName, Section, Toleration
from tunesmith.yaml_text import read_yaml

if TYPE_CHECKING:
    from kfp.dsl import PipelineTask
    from kfp.dsl.graph_component import GraphComponent

# Of the images' user; Pod Security `restricted` wants a number.
USER = 65532


class ClaimSpec(Section):
    """A PersistentVolumeClaim that a step sees at `path`."""

    claim: KubernetesName
    path: str = Field(pattern="^/.+")


class SecretSpec(Section):
    """A Secret whose keys become environment variables: `env` maps each variable to a key.

    An optional one may be missing in the namespace.
    """

    name: KubernetesName
    env: dict[str, str] = Field(min_length=1)
    optional: bool = False


# Kubeflow's own object store, for steps that read or write storage URIs themselves.
KUBEFLOW_STORE = SecretSpec(
    name="mlpipeline-minio-artifact",
    env={"AWS_ACCESS_KEY_ID": "accesskey", "AWS_SECRET_ACCESS_KEY": "secretkey"},
    optional=True,
)


class StepSpec(Section):
    """What one step's pod asks for; None and empty ask for nothing.

    `cpu` and `memory` are request and limit at once. `retries`: how often a step whose pod was lost is started again, and
    a failed one where the backend's configuration has that.
    """

    image: str | None = Field(default=None, min_length=1)
    gpu: int = Field(default=0, ge=0, le=64)
    gpu_resource: str = Field(default="nvidia.com/gpu", pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")
    cpu: float | None = Field(default=None, gt=0)
    memory: str | None = Field(default=None, pattern=r"^[1-9]\d*(Ki|Mi|Gi|K|M|G)?$")
    retries: int = Field(default=0, ge=0, le=10)
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)
    volumes: list[ClaimSpec] = Field(default_factory=list)
    secrets: list[SecretSpec] = Field(default_factory=lambda: [KUBEFLOW_STORE])
    image_pull_secrets: list[KubernetesName] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    run_as_user: int = Field(default=USER, ge=1)


class Platform(StepSpec):
    """The platform file: what every step asks for, and under `steps`, by the step's name, what takes its place in that step."""

    steps: dict[str, StepSpec] = Field(default_factory=dict)

    def of_step(self, name: str) -> StepSpec:
        """Return what the step `name` asks for."""
        own = self.steps.get(name, StepSpec())
        common = {field: getattr(self, field) for field in StepSpec.model_fields}
        return StepSpec.model_construct(**common | {field: getattr(own, field) for field in own.model_fields_set})


def load_platform(path: Path) -> Platform:
    """Read a platform file; raises SpecError, each line beginning with the file's name."""
    try:
        content = read_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    try:
        return Platform.model_validate(content if content is not None else {})
    except ValidationError as error:
        raise SpecError("\n".join(_explain(item, str(path)) for item in error.errors())) from None


def _explain(item: Any, path: str) -> str:
    place = [part for part in item["loc"][:-1] if isinstance(part, str)]
    sections = {"volumes": ClaimSpec, "secrets": SecretSpec, "tolerations": Toleration, "steps": StepSpec}
    section = next((sections[part] for part in reversed(place) if part in sections), Platform)
    return f"{path}: {explain_one(item, '', list(section.model_fields))}"


def placed(pipeline: "GraphComponent", platform: Platform) -> "GraphComponent":
    """Return the pipeline with every step asking for what the platform says; raises SpecError for a step that it has not."""
    from kfp import dsl
    from kfp.dsl.pipeline_context import Pipeline

    function = pipeline.pipeline_func

    @wraps(function)
    def with_platform(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        made = Pipeline.get_default_pipeline()
        assert made is not None, "kfp calls this while it makes the pipeline"
        tasks: Mapping[str, PipelineTask] = made.tasks
        _refuse_unknown(platform, list(tasks))
        for name, task in tasks.items():
            _place(task, platform.of_step(name))
        return result

    # kfp's own decorators hand their arguments on untyped.
    decorate: Any = dsl.pipeline(name=pipeline.name, description=pipeline.component_spec.description)
    return decorate(with_platform)


def _refuse_unknown(platform: Platform, steps: list[str]) -> None:
    for name in platform.steps:
        if name not in steps:
            raise SpecError(f"steps.{name}: is no step of the pipeline; allowed: {', '.join(steps)}{did_you_mean(name, steps)}")


def _place(task: "PipelineTask", step: StepSpec) -> None:
    """Ask for what kfp itself knows, then for what only its Kubernetes extension knows."""
    if step.image:
        task.set_container_image(step.image)
    if step.gpu:
        task.set_accelerator_type(step.gpu_resource).set_accelerator_limit(step.gpu)
    if step.cpu:
        task.set_cpu_request(f"{step.cpu:g}").set_cpu_limit(f"{step.cpu:g}")
    if step.memory:
        task.set_memory_request(step.memory).set_memory_limit(step.memory)
    if step.retries:
        task.set_retry(step.retries, backoff_duration="10s", backoff_factor=2.0, backoff_max_duration="600s")
    for name, value in step.env.items():
        task.set_env_variable(name, value)
    _place_pod(task, step)


def _place_pod(task: "PipelineTask", step: StepSpec) -> None:
    from kfp import kubernetes

    # Kubeflow adds the rest of what Pod Security `restricted` asks for, but not this.
    kubernetes.set_security_context(task, run_as_user=step.run_as_user, run_as_non_root=True)
    for key, value in step.node_selector.items():
        kubernetes.add_node_selector(task, key, value)
    for toleration in step.tolerations:
        kubernetes.add_toleration(task, **toleration.model_dump(exclude_none=True))
    for volume in step.volumes:
        kubernetes.mount_pvc(task, volume.claim, volume.path)
    for secret in step.secrets:
        for variable, key in secret.env.items():
            kubernetes.use_secret_as_env(task, secret.name, {key: variable}, secret.optional)
    if step.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(step.image_pull_secrets))
