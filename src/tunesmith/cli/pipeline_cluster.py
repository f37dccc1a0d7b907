"""`tunesmith pipeline submit`, `schedule`, `unschedule` and `runs`: pipelines on a cluster."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from tunesmith.cli._backend import RunProgress, address_options, backend_of, order_of, order_options
from tunesmith.cli._command import Examples, as_json, print_json
from tunesmith.cli.pipeline import pipeline
from tunesmith.errors import SpecError, StepFailed


@pipeline.command(
    cls=Examples,
    examples="""
    tunesmith pipeline submit tune --set trials=50 --wait
    tunesmith pipeline submit tune --host http://localhost:8080 --set engine=katib --platform platform.yaml
    """,
)
@click.argument("name")
@order_options
@click.option("--run-name", default="", help="What the run is called.  [default: NAME and the time]")
@click.option("--wait", "waits", is_flag=True, help="Wait until the run has ended; exit code 1 where it has failed.")
@as_json
def submit(name: str, run_name: str, waits: bool, json_output: bool, **options: Any) -> None:
    """Start a run of the pipeline NAME on the cluster."""
    from tunesmith.kfp_client import runs, submission

    order = order_of(name, options)
    backend = backend_of(options)
    run_id = submission.submit(backend, order, run_name)
    click.echo(f"{run_id}  {backend.link(run_id)}", err=json_output)
    run = runs.wait(backend, run_id, None, RunProgress()) if waits else runs.get_run(backend, run_id)
    if json_output:
        print_json(asdict(run))
    if waits and run.state != runs.SUCCEEDED:
        raise StepFailed(f"the run is {run.state.lower()}: {run.link}")


@pipeline.command(
    cls=Examples,
    examples="""
    tunesmith pipeline schedule retrain --cron '0 3 * * 1' --set registry_uri=s3://models/churn
    tunesmith pipeline schedule retrain --name churn --every 7d --set registry_uri=s3://models/churn
    tunesmith pipeline schedule --list
    """,
)
@click.argument("pipeline_name", metavar="[NAME]", required=False)
@order_options
@click.option("--cron", help="When to start: minute hour day month weekday, in the cluster's time zone (mostly UTC).")
@click.option("--every", help="How often to start: 90m, 12h, 7d, 2w.")
@click.option("--name", help="What the schedule is called; one of that name is replaced.  [default: the pipeline's]")
@click.option("--list", "lists", is_flag=True, help="List the schedules that there are.")
@as_json
def schedule(pipeline_name: str | None, name: str | None, lists: bool, json_output: bool, **options: Any) -> None:
    """Start the pipeline NAME again and again. A schedule of the same name is replaced, never doubled.

    Never two of its runs at a time; times that were missed are not made up for.
    """
    from tunesmith.kfp_client import schedules

    if lists:
        found = schedules.list_schedules(backend_of(options))
        rows = [(item.name, item.trigger, "on" if item.enabled else "off", item.created) for item in found]
        return _table(("name", "when", "state", "made"), rows, [asdict(item) for item in found], json_output)
    if not pipeline_name:
        raise SpecError("schedule: needs the pipeline's name, or --list")
    trigger = schedules.Trigger.read(options["cron"], options["every"])
    order = order_of(pipeline_name, options)
    made, changed = schedules.schedule(backend_of(options), order, name or pipeline_name, trigger)
    if json_output:
        return print_json({**asdict(made), "changed": changed})
    return click.echo(f"{made.name}: {made.trigger}" + ("" if changed else ", as it was"))


@pipeline.command(
    cls=Examples,
    examples="""
    tunesmith pipeline unschedule retrain
    """,
)
@click.argument("name")
@address_options
def unschedule(name: str, **options: Any) -> None:
    """Delete the schedule NAME; runs that it has started go on."""
    from tunesmith.kfp_client import schedules

    schedules.unschedule(backend_of(options), name)
    click.echo(f"{name}: deleted")


@pipeline.command(
    cls=Examples,
    examples="""
    tunesmith pipeline runs
    tunesmith pipeline runs --experiment churn --limit 5 --json
    """,
)
@click.option("--experiment", default="", help="Only those of this Kubeflow experiment.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, the newest first.")
@address_options
@as_json
def runs(experiment: str, limit: int, json_output: bool, **options: Any) -> None:
    """List the runs on the cluster with their states and links."""
    from tunesmith.kfp_client.runs import list_runs

    found = list_runs(backend_of(options), limit, experiment)
    rows = [(run.name, run.state.lower(), run.created, run.link) for run in found]
    _table(("name", "state", "created", "link"), rows, [asdict(run) for run in found], json_output)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], content: Any, json_output: bool) -> None:
    if json_output:
        print_json(content)
        return
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
