"""`tunesmith report` and `tunesmith export`: what is written anew from a run's folder."""

from pathlib import Path

import click

from tunesmith.cli._command import Examples, answer, as_json, tunesmith, writing


@tunesmith.command(
    cls=Examples,
    examples="""
    tunesmith report runs/search
    tunesmith report runs/latest --output report.html
    """,
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="The file to write.  [default: FOLDER/report.html]")
@as_json
def report(folder: Path, output: Path | None, json_output: bool) -> None:
    """Write the HTML report of the run or study in FOLDER, which may still be running."""
    from tunesmith.chain import write_report

    with writing(output or folder):
        path = write_report(folder, output)
    answer({"report": str(path)}, json_output, "path")


@tunesmith.command(
    name="export",
    cls=Examples,
    examples="""
    tunesmith export runs/search
    tunesmith export runs/search --format onnx --output exported
    """,
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", "formats", multiple=True, help="saved_model or onnx; may be given more than once.  [default: both]")
@click.option("--output", type=click.Path(path_type=Path), help="Where the exports go.  [default: FOLDER/exports]")
@as_json
def export_model(folder: Path, formats: tuple[str, ...], output: Path | None, json_output: bool) -> None:
    """Export the trained model of the run in FOLDER; each export is reloaded and compared with the original."""
    from tunesmith.chain import export_run

    with writing(output or folder):
        records = export_run(folder, formats, output)
    answer({"exports": records}, json_output, "exports")
