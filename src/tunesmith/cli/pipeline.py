"""`tunesmith pipeline run` and `compile`: pipelines without a cluster."""

from pathlib import Path

import click

from tunesmith.cli._backend import arguments_option, platform_option, read_platform
from tunesmith.cli._command import Examples, answer, as_json, console, print_json, refuse_file, tunesmith, writing
from tunesmith.files import disk_errors


@tunesmith.group()
def pipeline() -> None:
    """Run the Kubeflow pipelines here, compile them, or start and schedule them on a cluster."""


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
@arguments_option
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of all runs.")
@as_json
def pipeline_run(name: str, arguments: tuple[str, ...], runs: Path, json_output: bool) -> None:
    """Run the pipeline NAME on this machine, without a cluster."""
    from tunesmith.local_pipeline import run_named

    refuse_file(runs)
    with disk_errors(runs):
        summary = run_named(name, arguments, runs, console())
    if json_output:
        print_json(summary)


@pipeline.command(
    name="compile",
    cls=Examples,
    examples="""
    tunesmith pipeline compile tune --output tune.yaml
    tunesmith pipeline compile tune --platform platform.yaml
    """,
)
@click.argument("name")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write.  [default: NAME.yaml]")
@platform_option
@as_json
def pipeline_compile(name: str, output: Path | None, platform: Path | None, json_output: bool) -> None:
    """Compile the pipeline NAME to YAML for the Kubeflow UI's upload."""
    from tunesmith.pipeline_run.catalog import compile_named

    place = output or Path(f"{name}.yaml")
    placing = read_platform(platform)
    with writing(place):
        path = compile_named(name, place, placing)
    answer({"pipeline": str(path)}, json_output, "path")
