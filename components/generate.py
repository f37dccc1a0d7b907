"""Writes each component's README from its signature and docstring: `python -m tunesmith.components.generate`."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docstring_parser import Docstring, parse
from kfp.dsl.base_component import BaseComponent

ROOT = Path(__file__).parent
NOTICE = "<!-- Made from component.py by `make generate`; changes here are overwritten. -->"


def component_names() -> list[str]:
    """Return the names of all components: the folders here that have a component.py."""
    return sorted(path.parent.name for path in ROOT.glob("*/component.py"))


def load_component(name: str) -> BaseComponent:
    """Return the component of a folder: the function of the folder's name in its component.py."""
    return getattr(importlib.import_module(f"tunesmith.components.{name}.component"), name)


def readme(name: str) -> str:
    """Return the README of a component."""
    component: Any = load_component(name)
    described = parse(inspect.getdoc(component.python_func) or "")
    texts = {parameter.arg_name: parameter.description or "" for parameter in described.params}
    spec = component.component_spec
    return "\n".join(
        [
            f"# {name}",
            "",
            NOTICE,
            "",
            described.short_description or "",
            "",
            "## Inputs",
            "",
            *_table(("name", "type", "default", "what it is"), _inputs(spec, texts)),
            "",
            "## Outputs",
            "",
            *_table(("name", "type", "what it is"), _outputs(spec, texts, described)),
            "",
        ]
    )


def _inputs(spec: Any, texts: dict[str, str]) -> Iterator[tuple[str, ...]]:
    for name, given in (spec.inputs or {}).items():
        default = f"`{given.default!r}`" if given.optional else "required"
        yield f"`{name}`", _type(given.type), default, texts[name]


def _outputs(spec: Any, texts: dict[str, str], described: Docstring) -> Iterator[tuple[str, ...]]:
    returned = described.returns.description or "" if described.returns else ""
    for name, made in (spec.outputs or {}).items():
        yield f"`{name}`", _type(made.type), texts.get(name, returned)


def _type(text: str) -> str:
    """Return `Dataset` for `system.Dataset@0.0.1`, and other types as they are."""
    return text.removeprefix("system.").partition("@")[0]


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |" for line in lines]


def main() -> None:
    """Write all READMEs."""
    for name in component_names():
        (ROOT / name / "README.md").write_text(readme(name))


if __name__ == "__main__":
    main()
