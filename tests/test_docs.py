"""Everything that the README and the docs show works as shown."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import tunesmith
from tunesmith.cli import tunesmith as command_line
from tunesmith.spec import parse_spec
from tunesmith.yaml_text import read_yaml

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:    |\$ )(?:\.venv/bin/)?tunesmith (.+?)(?:\s+#.*)?$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text()) if found == language]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


def quick_design(build: Any, data: Any, **options: Any) -> tunesmith.Result:
    """`design` with two trials of one epoch: what is shown must work, not shine."""
    return tunesmith.design(build, data, **(options | {"trials": 2, "epochs": 1}))


class Shown:
    """The names that the docs' programs take from `import tunesmith`."""

    def __getattr__(self, name: str) -> Any:
        return quick_design if name == "design" else getattr(tunesmith, name)


@pytest.mark.parametrize("page", pages_with("python"), ids=lambda page: page.name)
def test_programs_run(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    images, labels = np.random.default_rng(0).random((60, 64), dtype=np.float32), np.arange(60) % 10
    names = {"keras": keras, "images": images, "data": lambda: (images[:40], labels[:40], images[40:], labels[40:])}
    program = "\n".join(blocks(page, "python")).replace("import tunesmith\n", "")
    exec(compile(program, str(page), "exec"), {**names, "tunesmith": Shown()})


@pytest.mark.parametrize("page", pages_with("yaml"), ids=lambda page: page.name)
def test_search_files_are_valid(page: Path) -> None:
    for text in blocks(page, "yaml"):
        shown = read_yaml(text, page.name)
        function = {"evaluation": {"kind": "function", "function": "a.py:f"}}
        rest = function if shown.get("space", {}).get("kind") == "parameters" else {"data": {"uri": "digits"}}
        parse_spec({"space": {"kind": "layers"}, **rest, **shown}, page.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_known(page: Path) -> None:
    for line in COMMAND.findall(page.read_text().replace("\\\n", " ")):
        understand(command_line, shlex.split(line))


def understand(command: click.Command, arguments: list[str]) -> None:
    """Parse a command line without running it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        name, inner, rest = command.resolve_command(context, arguments)
        assert inner is not None, f"no command {name!r}"
        return understand(inner, rest)
    command.make_context(command.name, arguments)
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_make_targets_that_are_shown_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        shown = set(re.findall(r"(?:^    |`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
        assert shown <= targets, page
