"""The command line. Library code is imported in the commands, so that `--help` answers at once."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tunesmith.errors import ExportError, GateFailed, SpecError, StepFailed, TunesmithError
from tunesmith.files import disk_errors

INTERRUPTED = 130
USER_MISTAKE = 2
NOT_REACHED = 1

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


@tunesmith.command(
    cls=Examples,
    examples="""
    tunesmith search search.yaml
    tunesmith search search.yaml --folder runs/adult --trials 50
    tunesmith search search.yaml --json > result.json
    """,
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--folder", type=click.Path(path_type=Path), help="Where everything goes.  [default: runs/FILE's name]")
@click.option("--trials", type=int, help="Trials in all, in place of the file's budget.")
@click.option("--refit/--no-refit", default=True, help="Train the winner anew on train + validation, or keep its model.")
@as_json
def search(file: Path, folder: Path | None, trials: int | None, refit: bool, json_output: bool) -> None:
    """Run the search that FILE describes; end with a trained, judged and exported model and a report.

    Interrupted or killed, the same command goes on where it was.
    """
    from tunesmith.chain import run_chain
    from tunesmith.spec import load_spec, with_trials

    spec = load_spec(file)
    if trials is not None:
        spec = with_trials(spec, trials)
    place = folder or Path("runs") / file.stem
    _refuse_file(place)
    with disk_errors(place):
        summary = run_chain(spec, place, _console(), refit)
    _answer(summary, json_output, "summary")


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

    with _writing(output or folder):
        path = write_report(folder, output)
    _answer({"report": str(path)}, json_output, "path")


@tunesmith.group()
def study() -> None:
    """Look into a study."""


@study.command(
    cls=Examples,
    examples="""
    tunesmith study show runs/search
    tunesmith study show runs/search --top 5 --json
    """,
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Rows of the leaderboard.")
@as_json
def show(folder: Path, top: int, json_output: bool) -> None:
    """Show the leaderboard of the study in FOLDER and how its trials ended."""
    from tunesmith.leaderboard import leaderboard, print_leaderboard

    board = leaderboard(folder, top)
    if json_output:
        _print_json(board)
    else:
        print_leaderboard(board, _console(stderr=False))


@study.command(
    cls=Examples,
    examples="""
    tunesmith study trial runs/search 7
    """,
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("number", type=click.IntRange(0))
@as_json
def trial(folder: Path, number: int, json_output: bool) -> None:
    """Show one trial: candidate, outcome, curve, and where its log is."""
    from tunesmith.leaderboard import print_trial, trial_details

    details = trial_details(folder, number)
    if json_output:
        _print_json(details)
    else:
        print_trial(details, _console(stderr=False))


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

    with _writing(output or folder):
        records = export_run(folder, formats, output)
    _answer({"exports": records}, json_output, "exports")


@tunesmith.group()
def pipeline() -> None:
    """Run or compile the Kubeflow pipelines."""


@pipeline.command(
    name="run",
    cls=Examples,
    examples="""
    tunesmith pipeline run tune
    tunesmith pipeline run tune --set data_uri=adult.csv --set target_column=income
    tunesmith pipeline run tune --set 'search_space={"kind": "layers", "dense": [1, 2]}'
    """,
)
@click.argument("name")
@click.option(
    "--set", "arguments", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter; lists, dictionaries as JSON."
)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of all runs.")
@as_json
def pipeline_run(name: str, arguments: tuple[str, ...], runs: Path, json_output: bool) -> None:
    """Run the pipeline NAME on this machine, without a cluster."""
    from tunesmith.local_pipeline import run_named

    _refuse_file(runs)
    with disk_errors(runs):
        summary = run_named(name, arguments, runs, _console())
    if json_output:
        _print_json(summary)


@pipeline.command(
    name="compile",
    cls=Examples,
    examples="""
    tunesmith pipeline compile tune --output tune.yaml
    """,
)
@click.argument("name")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write.  [default: NAME.yaml]")
@as_json
def pipeline_compile(name: str, output: Path | None, json_output: bool) -> None:
    """Compile the pipeline NAME to YAML for the Kubeflow UI's upload."""
    from tunesmith.local_pipeline import compile_named

    place = output or Path(f"{name}.yaml")
    with _writing(place):
        path = compile_named(name, place)
    _answer({"pipeline": str(path)}, json_output, "path")


def _refuse_file(folder: Path) -> None:
    """Raise SpecError where a folder cannot be made, since a file has its name or the name of one above it."""
    taken = next((place for place in (folder, *folder.parents) if place.exists()), None)
    if taken and not taken.is_dir():
        raise SpecError(f"{folder}: {'is' if taken == folder else f'{taken} is'} a file; needs a folder")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system says against writing to `path` into a SpecError."""
    try:
        yield
    except OSError as error:
        raise SpecError(f"{path}: cannot be written ({error.strerror or error})") from None


def _console(stderr: bool = True) -> Any:
    from rich.console import Console

    # What is printed holds names and reasons of the user's: brackets in them are no markup.
    return Console(stderr=stderr, markup=False)


def _print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=2, allow_nan=False))


def _answer(content: dict[str, Any], json_output: bool, kind: str) -> None:
    """Print a command's result, as JSON or for a person."""
    if json_output:
        _print_json(content)
    elif kind == "path":
        click.echo(next(iter(content.values())))
    elif kind == "exports":
        from tunesmith.summary import print_exports

        print_exports(content["exports"], _console(stderr=False))
    else:
        from tunesmith.summary import print_summary

        print_summary(content, _console(stderr=False))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line: a user's mistake is a message and exit code 2, a bug keeps its traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        tunesmith(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)
    except GateFailed as error:
        click.echo(f"gate failed: {error}", err=True)
        sys.exit(NOT_REACHED)
    except (ExportError, StepFailed) as error:
        click.echo(f"failed: {error}", err=True)
        sys.exit(NOT_REACHED)
    except TunesmithError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(USER_MISTAKE)


if __name__ == "__main__":
    main()
