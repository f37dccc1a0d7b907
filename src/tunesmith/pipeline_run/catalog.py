"""The pipelines that there are: found by the names of their files, and compiled for the cluster."""

import ast
import contextlib
import importlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import SpecError
from tunesmith.pipeline_run.platform import Platform, placed
from tunesmith.registry import did_you_mean, discover

if TYPE_CHECKING:
    from kfp.dsl.graph_component import GraphComponent

PACKAGE = "tunesmith.pipelines"


def load_pipeline(name: str) -> "GraphComponent":
    """Return the pipeline `name`; raises SpecError naming those that there are, or what to install."""
    try:
        importlib.import_module("kfp")
    except ModuleNotFoundError:
        raise SpecError("pipelines need the package kfp; install it with: pip install 'tunesmith[kubeflow]'") from None
    names = discover(PACKAGE)
    if name not in names:
        raise SpecError(f"pipeline: {name!r} is unknown; allowed: {', '.join(names)}{did_you_mean(name, names)}")
    with kfp_silenced():
        return getattr(importlib.import_module(f"{PACKAGE}.{name}"), name)


def compile_named(name: str, output: Path, platform: Platform | None = None) -> Path:
    """Compile the pipeline `name` to the YAML file `output`, placed as `platform` says; returns its path.

    The file has two documents: the pipeline, and what its steps ask of Kubernetes.
    """
    pipeline = load_pipeline(name)
    from kfp.compiler import Compiler

    if output.suffix not in (".yaml", ".yml"):
        raise SpecError(f"{output}: a compiled pipeline is a .yaml file")
    output.parent.mkdir(parents=True, exist_ok=True)
    with kfp_silenced():
        Compiler().compile(placed(pipeline, platform or Platform()), str(output))
    output.write_text("".join(_ordered(line) for line in output.read_text().splitlines(keepends=True)))
    return output


def _ordered(line: str) -> str:
    """Order the keys of a parameter's default in a comment, which kfp writes in another order in each process."""
    found = re.fullmatch(r"(#    .* \[Default: )(\{.*\})(\]\n)", line)
    if not found:
        return line
    default = ast.literal_eval(found[2])
    return f"{found[1]}{dict(sorted(default.items()))}{found[3]}"


@contextlib.contextmanager
def kfp_silenced() -> Iterator[None]:
    """Keep kfp's warnings, which are addressed to authors of components, from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
