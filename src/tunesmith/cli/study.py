"""`tunesmith study`: look into a study."""

from pathlib import Path

import click

from tunesmith.cli._command import Examples, as_json, console, print_json, tunesmith


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
        print_json(board)
    else:
        print_leaderboard(board, console(stderr=False))


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
        print_json(details)
    else:
        print_trial(details, console(stderr=False))


@study.command(
    cls=Examples,
    examples="""
    tunesmith study advice runs/search
    tunesmith study advice runs/search --objective latency_ms --json
    """,
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--objective", help="Which of several objectives.  [default: all]")
@as_json
def advice(folder: Path, objective: str | None, json_output: bool) -> None:
    """Tell which parameters matter, what to fix, narrow or widen next, and whether more trials are likely to pay."""
    from tunesmith.advice.advise import advise
    from tunesmith.advice.display import print_advice
    from tunesmith.summary import study_folder

    found = advise(study_folder(folder), objective)
    if json_output:
        print_json(found.to_json())
    else:
        print_advice(found, folder, console(stderr=False))


@study.command(
    cls=Examples,
    examples="""
    tunesmith study fidelity runs/search
    tunesmith study fidelity runs/search --trials 12 --epochs 40 --json
    """,
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--trials", type=click.IntRange(3), default=8, show_default=True, help="Trials to train in full, of all ranks.")
@click.option("--epochs", type=click.IntRange(1), help="Of the full training.  [default: those of the final training]")
@as_json
def fidelity(folder: Path, trials: int, epochs: int | None, json_output: bool) -> None:
    """Measure how far the trials of FOLDER, a run, foretell a full training; its report shows it from then on."""
    from dataclasses import asdict

    from tunesmith.errors import StudyError
    from tunesmith.fidelity import measure_fidelity
    from tunesmith.quiet import import_keras
    from tunesmith.summary import study_folder

    if not (folder / "dataset").is_dir():
        raise StudyError(f"{folder}: holds no prepared data (no folder 'dataset')")
    import_keras()
    lines = console()
    found = measure_fidelity(
        study_folder(folder), folder / "dataset", trials, epochs, lambda text: lines.print(text, highlight=False)
    )
    if json_output:
        print_json(asdict(found))
        return
    shown = "none, all figures are equal," if found.correlation is None else f"{found.correlation:.2f}"
    console(stderr=False).print(f"rank correlation {shown} over {found.drawn}; {found.cost}", highlight=False)
