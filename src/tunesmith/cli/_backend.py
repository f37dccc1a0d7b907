"""What the commands that talk to Kubeflow Pipelines share: where it is, what is to run, and how a run is shown."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tunesmith.cli._command import console

if TYPE_CHECKING:
    from tunesmith.kfp_client.connection import Backend
    from tunesmith.kfp_client.runs import Run
    from tunesmith.kfp_client.submission import Order
    from tunesmith.pipeline_run.platform import Platform

F = TypeVar("F", bound=Callable[..., Any])

arguments_option = click.option(
    "--set", "arguments", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter; lists, dictionaries as JSON."
)
platform_option = click.option(
    "--platform",
    type=click.Path(path_type=Path),
    help="A YAML file of what the steps ask of the cluster: GPUs, volumes, secrets, node selectors, tolerations.",
)
_ORDER = (
    arguments_option,
    click.option("--experiment", default="Default", show_default=True, help="The Kubeflow experiment to list runs under."),
    platform_option,
    click.option("--cache/--no-cache", default=True, help="Take steps' results from earlier runs where they can be."),
    click.option("--service-account", default="", help="Whose rights the steps have.  [default: Kubeflow's]"),
)
_ADDRESS = (
    click.option(
        "--host", default="", help="Kubeflow Pipelines.  [default: KF_PIPELINES_ENDPOINT, KFP_ENDPOINT, or the cluster's own]"
    ),
    click.option("--namespace", default="", help="Your namespace, where there are several users.  [default: KFP_NAMESPACE]"),
    click.option("--token", default="", help="A bearer token; better in the environment.  [default: KFP_TOKEN]"),
    click.option("--ca-cert", default="", help="A file with the host's own certificate authority.  [default: KFP_CA_CERT]"),
)


def address_options(command: F) -> F:
    """Add the options that say where Kubeflow Pipelines is."""
    for option in reversed(_ADDRESS):
        command = option(command)
    return command


def order_options(command: F) -> F:
    """Add the options that say what is to run, and where."""
    command = address_options(command)
    for option in reversed(_ORDER):
        command = option(command)
    return command


def backend_of(options: Mapping[str, Any]) -> "Backend":
    """Return the backend that the options name."""
    from tunesmith.kfp_client.connection import Address, connect

    return connect(Address(*(options[name] for name in ("host", "namespace", "token", "ca_cert"))))


def order_of(pipeline: str, options: Mapping[str, Any]) -> "Order":
    """Return what the options want of a pipeline; raises SpecError for the first mistake."""
    from tunesmith.kfp_client.submission import Order

    return Order.read(
        *(pipeline, options["arguments"], read_platform(options["platform"])),
        experiment=options["experiment"],
        caching=options["cache"],
        service_account=options["service_account"],
    )


def read_platform(path: Path | None) -> "Platform":
    """Return what a platform file says, or what steps ask for without one."""
    from tunesmith.pipeline_run.platform import Platform, load_platform

    return load_platform(path) if path else Platform()


class RunProgress:
    """Prints a line whenever a step of a run changes its state."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        self.console = console()

    def __call__(self, run: "Run") -> None:
        for step in run.steps:
            if self.told.get(step.name) != step.state:
                self.told[step.name] = step.state
                self.console.print(f"{step.name.ljust(16)} {step.state.lower()}", highlight=False)
