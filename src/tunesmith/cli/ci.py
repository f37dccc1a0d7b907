"""`tunesmith ci`: a run on a cluster as a step of a CI job."""

import re
from pathlib import Path
from typing import Any

import click

from tunesmith.cli._backend import RunProgress, backend_of, order_of, order_options
from tunesmith.cli._command import Examples, as_json, print_json, tunesmith, writing
from tunesmith.errors import SpecError, StepFailed

RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@tunesmith.command(
    cls=Examples,
    examples="""
    tunesmith ci retrain --set registry_uri=s3://models/churn --timeout 2h --require promotion
    tunesmith ci tune --set min_test_accuracy=0.9 --require gate --summary summary.md
    tunesmith ci 6f1d1c1e-5b7e-4f0c-9a57-0d2a4b6f8c11 --json
    """,
)
@click.argument("target", metavar="NAME|RUN_ID")
@order_options
@click.option("--timeout", help="Stop waiting after this time, such as 90m or 2h; the run itself goes on.")
@click.option(
    "--require",
    multiple=True,
    type=click.Choice(["gate", "promotion"]),
    help="Ask for a gate that was passed, or for a new model that was promoted; may be given twice.",
)
@click.option("--summary", type=click.Path(path_type=Path), help="A file to which a summary in Markdown is added.")
@as_json
def ci(
    target: str, timeout: str | None, require: tuple[str, ...], summary: Path | None, json_output: bool, **options: Any
) -> None:
    """Start the pipeline NAME, or find the run RUN_ID, and wait for it.

    Exit code 0: the run is what was asked for. 1: it is not. 2: a mistake in the command, or a backend that does not answer.
    """
    from tunesmith.kfp_client.cron import read_duration
    from tunesmith.kfp_client.runs import wait
    from tunesmith.kfp_client.verdict import judge

    seconds = read_duration(timeout, "timeout") if timeout else None
    backend, run_id = _started(target, options)
    verdict = judge(backend, wait(backend, run_id, seconds, RunProgress()), require)
    if summary:
        with writing(summary), summary.open("a", encoding="utf-8") as file:
            file.write(verdict.markdown())
    if json_output:
        print_json(verdict.to_json())
    else:
        click.echo(verdict.markdown())
    if not verdict.passed:
        raise StepFailed("; ".join(verdict.reasons))


def _started(target: str, options: dict[str, Any]) -> tuple[Any, str]:
    """Return the backend, and the id of the run that is to be waited for."""
    from tunesmith.kfp_client.submission import submit

    if RUN_ID.fullmatch(target):
        if options["arguments"]:
            raise SpecError(f"set: the run {target} has its arguments already; give the pipeline's name to start another")
        return backend_of(options), target
    order = order_of(target, options)
    backend = backend_of(options)
    run_id = submit(backend, order)
    click.echo(f"started {run_id}  {backend.link(run_id)}", err=True)
    return backend, run_id
