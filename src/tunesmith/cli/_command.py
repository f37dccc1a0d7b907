"""What the commands share: the group they belong to, how they show examples, take paths and print results."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tunesmith.errors import SpecError

as_json = click.option("--json", "json_output", is_flag=True, help="Print the result as JSON on standard output.")


class Examples(click.Command):
    """A command whose help ends with examples, their lines kept as they are."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if not self.examples:
            return
        with formatter.section("Examples"):
            for line in self.examples.strip().splitlines():
                formatter.write(f"  {line.strip()}\n")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tunesmith")
def tunesmith() -> None:
    """Design models automatically: search, train, judge and export, on one machine or on Kubeflow."""


def refuse_file(folder: Path) -> None:
    """Raise SpecError where a folder cannot be made, since a file has its name or the name of one above it."""
    taken = next((place for place in (folder, *folder.parents) if place.exists()), None)
    if taken and not taken.is_dir():
        raise SpecError(f"{folder}: {'is' if taken == folder else f'{taken} is'} a file; needs a folder")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says against writing to `path` into a SpecError."""
    try:
        yield
    except OSError as error:
        raise SpecError(f"{path}: cannot be written ({error.strerror or error})") from None


def console(stderr: bool = True) -> Any:
    """Return rich's console, made only where something is drawn."""
    from rich.console import Console

    # What is printed holds names and reasons of the user's: brackets in them are no markup.
    return Console(stderr=stderr, markup=False)


def print_json(content: Any) -> None:
    """Print plain data as JSON on standard output."""
    click.echo(json.dumps(content, indent=2, allow_nan=False))


def answer(content: dict[str, Any], json_output: bool, kind: str) -> None:
    """Print a command's result, as JSON or for a person."""
    if json_output:
        print_json(content)
    elif kind == "path":
        click.echo(next(iter(content.values())))
    elif kind == "exports":
        from tunesmith.summary import print_exports

        print_exports(content["exports"], console(stderr=False))
    else:
        from tunesmith.summary import print_summary

        print_summary(content, console(stderr=False))
