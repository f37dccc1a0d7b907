"""`tunesmith trial`: what the pods of a search on a cluster run."""

import os
import sys

import click

from tunesmith.cli._command import tunesmith


@tunesmith.command()
def trial() -> None:
    """Evaluate one candidate; its pod's environment says which. Run by the pods of a search on a cluster."""
    from tunesmith.trial import run_trial

    sys.exit(run_trial(os.environ, click.echo))
