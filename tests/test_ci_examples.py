"""The examples for CI systems: valid YAML, whose commands the command line understands and whose images are pinned."""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_docs import understand
from tunesmith.cli import tunesmith as command_line
from tunesmith.kfp_client.submission import Order
from tunesmith.pipeline_run.platform import Platform

EXAMPLES = sorted((Path(__file__).parent.parent / "examples" / "ci").glob("*.yaml"))
# What the CI system puts in the place of its variables.
FILLED = {"$REGISTRY": "s3://models/churn", "$DATA": "s3://data/churn.csv", "$GITHUB_STEP_SUMMARY": "/tmp/summary.md"}


def texts(content: Any) -> Iterator[str]:
    """Yield all texts in a YAML document."""
    if isinstance(content, dict):
        for value in content.values():
            yield from texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)
    elif isinstance(content, str):
        yield content


def values_of(content: Any, wanted: tuple[str, ...]) -> Iterator[str]:
    """Yield what stands under the wanted keys."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in wanted and isinstance(value, str):
                yield value
            yield from values_of(value, wanted)
    elif isinstance(content, list):
        for value in content:
            yield from values_of(value, wanted)


def commands(example: Path) -> list[list[str]]:
    """Return the arguments of every tunesmith command of an example, its variables filled in."""
    lines = [line.strip() for text in texts(yaml.safe_load(example.read_text())) for line in text.splitlines()]
    found = [line.removeprefix("tunesmith ").partition(" > ")[0] for line in lines if line.startswith("tunesmith ")]
    for name, value in FILLED.items():
        found = [line.replace(name, value) for line in found]
    return [shlex.split(line) for line in found]


def test_there_is_one_for_each_system() -> None:
    assert [example.stem for example in EXAMPLES] == ["github-actions", "gitlab-ci", "tekton"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_its_commands_are_understood(example: Path) -> None:
    found = commands(example)
    assert found
    for arguments in found:
        understand(command_line, arguments)
        texts = [after for before, after in itertools.pairwise(arguments) if before == "--set"]
        Order.read(arguments[1], texts, Platform())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_its_images_and_actions_are_pinned(example: Path) -> None:
    named = list(values_of(yaml.safe_load(example.read_text()), ("image", "container", "uses")))
    assert named
    for name in named:
        assert re.search(r"[:@]v?\d", name), name
