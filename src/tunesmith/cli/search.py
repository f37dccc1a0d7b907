"""`tunesmith search`: the whole chain from one search file."""

from pathlib import Path

import click

from tunesmith.cli._command import Examples, answer, as_json, console, refuse_file, tunesmith
from tunesmith.files import disk_errors


@tunesmith.command(
    cls=Examples,
    examples="""
    tunesmith search search.yaml
    tunesmith search search.yaml --folder runs/adult --trials 50
    tunesmith search search.yaml --json > result.json
    tunesmith search search.yaml --engine katib
    """,
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--folder", type=click.Path(path_type=Path), help="Where everything goes.  [default: runs/FILE's name]")
@click.option("--trials", type=int, help="Trials in all, in place of the file's budget.")
@click.option(
    "--engine", default="local", show_default=True, help="Where the trials run: local, or katib for a cluster's pods."
)
@click.option("--refit/--no-refit", default=True, help="Train the winner anew on train + validation, or keep its model.")
@as_json
def search(file: Path, folder: Path | None, trials: int | None, engine: str, refit: bool, json_output: bool) -> None:
    """Run the search that FILE describes; end with a trained, judged and exported model and a report.

    Interrupted or killed, the same command goes on where it was.
    """
    from tunesmith.chain import run_chain
    from tunesmith.spec import load_spec, with_trials

    spec = load_spec(file)
    if trials is not None:
        spec = with_trials(spec, trials)
    place = folder or Path("runs") / file.stem
    refuse_file(place)
    with disk_errors(place):
        summary = run_chain(spec, place, console(), refit, engine)
    answer(summary, json_output, "summary")
