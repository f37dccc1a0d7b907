"""`tunesmith registry`: the models that were put to use."""

from pathlib import Path

import click

from tunesmith.cli._command import Examples, as_json, print_json, tunesmith


@tunesmith.group()
def registry() -> None:
    """Look into a registry of models, go back to an earlier one, or put one to use by hand."""


@registry.command(
    cls=Examples,
    examples="""
    tunesmith registry show s3://models/churn
    tunesmith registry show s3://models/churn --json
    """,
)
@click.argument("uri")
@as_json
def show(uri: str, json_output: bool) -> None:
    """Show all promotions of the registry at URI, the last one being the model in use."""
    from tunesmith.champions import Champions

    history = Champions(uri).history()
    if json_output:
        return print_json([promotion.to_json() for promotion in history])
    for promotion in history:
        click.echo(f"{promotion.number:4}  {promotion.version}  {promotion.at}  {promotion.reason}")
    return click.echo(f"in use: {history[-1].version}" if history else "there is no model in use yet")


@registry.command(
    cls=Examples,
    examples="""
    tunesmith registry rollback s3://models/churn
    tunesmith registry rollback s3://models/churn --to 3f2a91c07be4
    """,
)
@click.argument("uri")
@click.option("--to", "version", default="", help="The version to go back to.  [default: the one before]")
@as_json
def rollback(uri: str, version: str, json_output: bool) -> None:
    """Put an earlier model of the registry at URI to use again."""
    from tunesmith.champions import Champions

    promotion = Champions(uri).roll_back(version)
    if json_output:
        return print_json(promotion.to_json())
    return click.echo(f"in use: {promotion.version} (number {promotion.number})")


@registry.command(
    cls=Examples,
    examples="""
    tunesmith registry promote s3://models/churn runs/latest
    """,
)
@click.argument("uri")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--reason", default="promoted by hand", show_default=True, help="What the history says of it.")
@as_json
def promote(uri: str, folder: Path, reason: str, json_output: bool) -> None:
    """Put the model of the run in FOLDER to use in the registry at URI, whatever is in use there."""
    from tunesmith.champions import Champions, parts_of_run
    from tunesmith.evaluate import Evaluation

    parts = parts_of_run(folder)
    champions = Champions(uri)
    current = champions.champion()
    figures = Evaluation.load(parts["evaluation"]).figures.metrics if "evaluation" in parts else {}
    promotion = champions.promote(parts, figures, current.version if current else "", reason)
    if json_output:
        return print_json(promotion.to_json())
    return click.echo(f"in use: {promotion.version} (number {promotion.number})")
