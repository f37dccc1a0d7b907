"""The command line: every module here without a leading underscore adds its commands to the group.

Library code is imported inside the commands, so that `--help` answers at once.
"""

import pkgutil
import signal
import sys
from importlib import import_module

import click

from tunesmith.cli._command import tunesmith
from tunesmith.errors import ExportError, GateFailed, StepFailed, TunesmithError

INTERRUPTED = 130
USER_MISTAKE = 2
NOT_REACHED = 1

for _module in pkgutil.iter_modules(__path__):
    if not _module.name.startswith("_"):
        import_module(f"{__name__}.{_module.name}")


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
