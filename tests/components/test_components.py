import ast
import inspect
import sys
from pathlib import Path

import pytest
import yaml

# pyright: reportMissingImports=false
# (tunesmith.components is the folder components/, mapped by setuptools' package-dir, which pyright does not read)
from tunesmith.components.generate import ROOT, component_names, load_component, readme
from tunesmith.image import IMAGE

COMPONENTS = component_names()
ALLOWED = {*sys.stdlib_module_names, "kfp"}


def test_the_components_of_the_pipelines_are_found() -> None:
    assert {"prepare_data", "search_model", "train_model", "evaluate_model", "check_model", "export_model"} <= set(COMPONENTS)
    assert {"load_champion", "compare_models", "promote_model"} <= set(COMPONENTS)


def test_every_folder_here_is_a_component() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert folders == set(COMPONENTS)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_has_the_parts_it_needs(name: str) -> None:
    parts = {path.name for path in (ROOT / name).iterdir() if path.is_file()}
    assert parts == {"__init__.py", "component.py", "metadata.yaml", "README.md"}
    metadata = yaml.safe_load((ROOT / name / "metadata.yaml").read_text())
    assert metadata["name"] == name
    assert {"stability", "tags", "dependencies"} <= set(metadata)


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_readme_is_fresh(name: str) -> None:
    assert (ROOT / name / "README.md").read_text() == readme(name), "run `make generate`"


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_imports_only_the_standard_library_and_kfp_at_its_top(name: str) -> None:
    tree = ast.parse((ROOT / name / "component.py").read_text())
    modules = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    # The image's name is needed where the component is defined; its module imports nothing.
    assert [module for module in modules if module.split(".")[0] not in ALLOWED] == ["tunesmith.image"]


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_installs_nothing_and_runs_on_our_image(name: str) -> None:
    container = load_component(name).component_spec.implementation.container
    assert container.image == IMAGE
    assert "pip" not in " ".join(container.command)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_describes_every_input_and_output(name: str) -> None:
    component = load_component(name)
    text = inspect.getdoc(component.python_func) or ""
    described = {line.strip().split(":")[0] for line in text.splitlines() if ":" in line}
    spec = component.component_spec
    names = {*(spec.inputs or {}), *(spec.outputs or {})} - {"Output"}
    assert not names - described


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_thin(name: str) -> None:
    source = Path(inspect.getfile(load_component(name).python_func)).read_text()
    calls = [line for line in source.splitlines() if "from tunesmith.steps import" in line]
    assert len(calls) == 1
