"""Starts a run of a pipeline on a cluster."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunesmith.errors import SpecError
from tunesmith.kfp_client.connection import Backend, quiet, told
from tunesmith.pipeline_run.arguments import check
from tunesmith.pipeline_run.catalog import compile_named, load_pipeline
from tunesmith.pipeline_run.form import arguments_of
from tunesmith.pipeline_run.platform import Platform

EXPERIMENT = "Default"


@dataclass(frozen=True)
class Order:
    """What is to run: the pipeline's name, its checked arguments, and how its steps are placed.

    `caching` False runs every step anew. `service_account` '' takes the backend's own.
    """

    pipeline: str
    arguments: Mapping[str, Any]
    platform: Platform
    experiment: str = EXPERIMENT
    caching: bool = True
    service_account: str = ""

    @classmethod
    def read(cls, pipeline: str, texts: Sequence[str], platform: Platform, **rest: Any) -> "Order":
        """Check `NAME=VALUE` texts; raises SpecError for the first mistake that can be seen from here."""
        arguments = arguments_of(load_pipeline(pipeline), texts)
        check(arguments)
        _refuse_own_files(arguments)
        return cls(pipeline, arguments, platform, **rest)

    @contextmanager
    def compiled(self) -> Iterator[str]:
        """Yield the path of the compiled pipeline."""
        with tempfile.TemporaryDirectory() as folder:
            yield str(compile_named(self.pipeline, Path(folder) / "pipeline.yaml", self.platform))

    def options(self, package: str) -> dict[str, Any]:
        """Return what kfp's client takes for a run and for a recurring run alike."""
        return {
            "pipeline_package_path": package,
            "params": json.loads(json.dumps(self.arguments)),
            # True would also switch on the caching of steps that must never be taken from the cache.
            "enable_caching": None if self.caching else False,
            "service_account": self.service_account or None,
        }


def submit(backend: Backend, order: Order, name: str = "") -> str:
    """Start a run; returns its id."""
    name = name or f"{order.pipeline} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    with order.compiled() as package, quiet(), told(backend.address.host, f"start {order.pipeline}"):
        run = backend.client.run_pipeline(
            experiment_id=experiment_id(backend, order.experiment), job_name=name, **order.options(package)
        )
    return str(run.run_id)


def experiment_id(backend: Backend, name: str) -> str:
    """Return the id of the Kubeflow experiment that runs are listed under; a new one is made where there is none."""
    with quiet(), told(backend.address.host, f"open the experiment {name!r}"):
        found = backend.client.create_experiment(name, namespace=backend.namespace)
    return str(found.experiment_id)


def _refuse_own_files(arguments: Mapping[str, Any]) -> None:
    """Raise SpecError for a relative path, which means nothing in a pod."""
    for name in ("data_uri", "registry_uri"):
        value = str(arguments.get(name, ""))
        is_name = name == "data_uri" and "/" not in value and "." not in value
        if value and "://" not in value and not value.startswith("/") and not is_name:
            raise SpecError(
                f"{name}: got {value!r}; a pod cannot see this machine's files; give a storage URI such as s3://bucket/key, or "
                "the path in a volume that the platform file mounts"
            )
