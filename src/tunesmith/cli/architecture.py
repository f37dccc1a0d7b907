"""`tunesmith architecture`: what a search has found, by itself: shown, drawn, built at another size, carried to other data."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli._command import Examples, as_json, console, print_json, tunesmith, writing

if TYPE_CHECKING:
    from tunesmith.architecture import Architecture
    from tunesmith.data.info import DatasetInfo

source_argument = click.argument("source", type=click.Path(path_type=Path, exists=True))
trial_option = click.option("--trial", type=click.IntRange(0), help="A trial of the study.  [default: the winner]")
IMAGE = "Pixels and channels of an image.  [default: those of the run's data, else 32x32x3]"
CLASSES = "Classes to tell apart.  [default: those of the run's data, else 10]"
image_option = click.option("--image", metavar="HxWxC", help=IMAGE)
classes_option = click.option("--classes", type=click.IntRange(2), help=CLASSES)


def sizes_options(command: Any) -> Any:
    """Add the options that make a network larger or smaller than it was found."""
    for name, text in (("filters", "of the first stage"), ("cells", "in each stage"), ("stages", "of ever smaller images")):
        command = click.option(f"--{name}", type=click.IntRange(1), help=f"{name.capitalize()} {text}.  [default: its own]")(
            command
        )
    return command


@tunesmith.group()
def architecture() -> None:
    """Work on an architecture: a study's winner, or a file that `show --json` has written."""


@architecture.command(
    cls=Examples,
    examples="""
    tunesmith architecture show runs/latest
    tunesmith architecture show runs/latest --trial 7 --json > cell.json
    """,
)
@source_argument
@trial_option
@image_option
@sizes_options
@as_json
def show(source: Path, trial: int | None, image: str | None, json_output: bool, **sizes: int | None) -> None:
    """Show the architecture of SOURCE, and what its network costs without its output layer.

    Networks of the spaces layers, applications and code are to be built first: `build` tells their parameters.
    """
    found = _load(source, trial, sizes)
    if json_output:
        print_json(found.to_json())
        return
    costs, out = found.described(_info(source, image, None)), console(stderr=False)
    for name, value in found.candidate.items():
        out.print(f"{name:24}  {value}", highlight=False, soft_wrap=True)
    for name, value in costs.items():
        out.print(f"{name:24}  {value:,}", highlight=False)
    if not costs:
        out.print("What its network costs is known once it is built: tunesmith architecture build", highlight=False)


@architecture.command(
    cls=Examples,
    examples="""
    tunesmith architecture draw runs/latest --output winner
    tunesmith architecture draw cell.json --output drawings --filters 32
    """,
)
@source_argument
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder for the drawings, SVG files.")
@trial_option
@image_option
@classes_option
@sizes_options
def draw(source: Path, output: Path, trial: int | None, image: str | None, classes: int | None, **sizes: int | None) -> None:
    """Draw the cells and the network of SOURCE."""
    from tunesmith.architecture import draw_architecture
    from tunesmith.quiet import import_keras

    import_keras()
    found = _load(source, trial, sizes)
    with writing(output):
        for path in draw_architecture(found, _info(source, image, classes), output):
            click.echo(path)


@architecture.command(
    cls=Examples,
    examples="""
    tunesmith architecture build cell.json --output large.keras --image 64x64x3 --classes 20 --cells 5 --filters 32
    """,
)
@source_argument
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The file to write, ending in .keras.")
@trial_option
@image_option
@classes_option
@sizes_options
def build(source: Path, output: Path, trial: int | None, image: str | None, classes: int | None, **sizes: int | None) -> None:
    """Build the untrained Keras model of SOURCE for images and classes of any number."""
    from tunesmith.architecture import save_built
    from tunesmith.errors import SpecError
    from tunesmith.quiet import import_keras

    if output.suffix != ".keras":
        raise SpecError(f"--output: got {output}; a Keras model is a .keras file")
    import_keras()
    with writing(output):
        parameters = save_built(_load(source, trial, sizes), _info(source, image, classes), output)
    click.echo(f"{output}  {parameters:,} parameters")


@architecture.command(
    cls=Examples,
    examples="""
    tunesmith architecture transfer runs/latest --data photos.npz --cells 5 --filters 32 --output photos.yaml
    tunesmith search photos.yaml
    """,
)
@source_argument
@click.option("--data", "uri", required=True, help="The other data, as a search file's data.uri.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write.  [default: standard output]")
@trial_option
@sizes_options
def transfer(source: Path, uri: str, output: Path | None, trial: int | None, **sizes: int | None) -> None:
    """Write the search file that trains the architecture of SOURCE on other data, at another scale, and searches how."""
    from tunesmith.errors import SpecError
    from tunesmith.files import write_text
    from tunesmith.yaml_text import write_yaml

    text = write_yaml(_load(source, trial, sizes).transferred(uri))
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise SpecError(f"--output: {output} exists already; choose another name")
    with writing(output):
        write_text(output, text)
    click.echo(output)


def _load(source: Path, trial: int | None, sizes: dict[str, int | None]) -> "Architecture":
    from tunesmith.architecture import load_architecture

    return load_architecture(source, trial).resized({name: size for name, size in sizes.items() if size is not None})


def _info(source: Path, image: str | None, classes: int | None) -> "DatasetInfo":
    """Return the data that the run in `source` is on, where it is one, or images as the options say."""
    from tunesmith.data.info import DatasetInfo
    from tunesmith.errors import SpecError

    prepared = source / "dataset"
    own = DatasetInfo.load(prepared) if (prepared / "dataset.json").is_file() else None
    if own and image is None and classes is None:
        return own
    if own and (own.kind, own.task) != ("images", "classification"):
        raise SpecError(f"--image, --classes: are for classes of images; the run is on {own.kind}, {own.task}")
    names = tuple(str(number) for number in range(classes or (len(own.classes) if own else 10)))
    if own and image is None:
        return replace(own, classes=names)
    parts = (image or "32x32x3").split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
        raise SpecError(f"--image: got {image!r}; needs height, width and channels, such as 32x32x3")
    return DatasetInfo("images", "classification", tuple(map(int, parts)), names, {}, "", "")
