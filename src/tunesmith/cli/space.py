"""`tunesmith space`: the next search's space from an earlier search's trials."""

from pathlib import Path

import click

from tunesmith.cli._command import Examples, tunesmith, writing


@tunesmith.group()
def space() -> None:
    """Work on a search space."""


@space.command(
    cls=Examples,
    examples="""
    tunesmith space refine runs/search --output next.yaml
    tunesmith search next.yaml
    """,
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="The file to write.  [default: standard output]")
@click.option("--objective", help="Which of several objectives.  [default: all]")
def refine(study: Path, output: Path | None, objective: str | None) -> None:
    """Write the search file that goes on from STUDY with a narrower or wider space, the reasons as comments."""
    from tunesmith.advice.refine import refined
    from tunesmith.errors import SpecError
    from tunesmith.files import write_text
    from tunesmith.summary import study_folder

    if output is not None and output.exists():
        raise SpecError(f"--output: {output} exists already; choose another name")
    text = refined(study_folder(study), output.parent if output else Path(), objective)
    if output is None:
        click.echo(text, nl=False)
        return
    with writing(output):
        write_text(output, text)
    click.echo(output)
