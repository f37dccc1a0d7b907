"""Makes Katib know Tunesmith's strategies, or forget them: `python -m tunesmith.katib.config add|remove|entries`.

Katib lists its algorithms in one text of one ConfigMap, which no tool of Kubernetes' can merge; so a Job of
manifests/base/cluster runs this. Katib reads the list anew whenever an experiment needs it: nothing is restarted.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from tunesmith.errors import ClusterError, SpecError, TunesmithError
from tunesmith.katib.config_text import PREFIX, Edited, with_algorithms
from tunesmith.katib.entries import strategy_entries
from tunesmith.katib.in_cluster import CONFLICT, ApiRefusal, ApiServer
from tunesmith.yaml_text import read_yaml

KEY = "katib-config.yaml"
EXPERIMENTS = "/apis/kubeflow.org/v1beta1/experiments"
PAGE = 200
SHOWN = 10
ATTEMPTS = 10
NOT_DONE, USER_MISTAKE = 1, 2


def edit_config(server: ApiServer, wanted: Sequence[dict[str, Any]], check: bool = False) -> Edited:
    """Let Katib's configuration hold exactly `wanted` of Tunesmith's algorithms; `check` changes nothing.

    Another's change in the same moment is kept: the edit is made anew on top of it. Raises ClusterError.
    """
    path = f"/api/v1/namespaces/{server.namespace}/configmaps/katib-config"
    for _ in range(ATTEMPTS):
        found = _get(server, path, f"is Katib installed in namespace {server.namespace!r}?")
        text = found.get("data", {}).get(KEY)
        if text is None:
            raise ClusterError(f"ConfigMap katib-config has no key {KEY}: it is not Katib 0.19's, and was left as it is")
        edited = with_algorithms(text, wanted)
        if check or not edited:
            return edited
        change = {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"]}, "data": {KEY: edited.text}}
        try:
            server.patch(path, change)
            return edited
        except ApiRefusal as refusal:
            if refusal.status != CONFLICT:
                raise _explained(refusal, path) from None
    raise ClusterError(f"ConfigMap katib-config was changed by another {ATTEMPTS} times while it was edited; try again")


def users(server: ApiServer) -> list[str]:
    """Return the experiments of all namespaces whose algorithm is one of Tunesmith's, as `namespace/name`."""
    found, page = [], ""
    while True:
        listed = _get(server, f"{EXPERIMENTS}?limit={PAGE}" + (f"&continue={page}" if page else ""), "is Katib installed?")
        ours = [item["metadata"] for item in listed["items"] if _algorithm(item).startswith(PREFIX)]
        found += [f"{metadata['namespace']}/{metadata['name']}" for metadata in ours]
        page = listed["metadata"].get("continue", "")
        if not page:
            return found


def _algorithm(experiment: dict[str, Any]) -> str:
    return experiment["spec"].get("algorithm", {}).get("algorithmName", "")


def image_of_job(server: ApiServer, name: str) -> str:
    """Return the image of the Job `name`, so that the algorithms' image is named in one place."""
    job = _get(server, f"/apis/batch/v1/namespaces/{server.namespace}/jobs/{name}", "name the image by --image")
    return job["spec"]["template"]["spec"]["containers"][0]["image"]


def _get(server: ApiServer, path: str, hint: str) -> dict[str, Any]:
    try:
        return server.get(path)
    except ApiRefusal as refusal:
        raise _explained(refusal, path, hint) from None


def _explained(refusal: ApiRefusal, path: str, hint: str = "") -> ClusterError:
    if refusal.status == 403:
        hint = "apply the overlay anew: it gives the account tunesmith-config its rights"
    return ClusterError(f"{path}: {refusal}" + (f"\n{hint}" if hint else ""))


def _told(edited: Edited, check: bool) -> str:
    done = {"add": edited.added, "replace": edited.replaced, "remove": edited.removed}
    words = [f"{'would ' if check else ''}{verb} {', '.join(names)}" for verb, names in done.items() if names]
    return f"katib-config: {'; '.join(words) or 'nothing to change'}"


def _edit(wanted: Sequence[dict[str, Any]], check: bool, server: ApiServer) -> None:
    edited = edit_config(server, wanted, check)
    click.echo(_told(edited, check))
    if check and edited:
        sys.exit(NOT_DONE)


def _read_entries(path: Path) -> list[dict[str, Any]]:
    """Return what `entries` printed, perhaps edited since; raises SpecError for names that are not Tunesmith's."""
    listed = read_yaml(path.read_text(encoding="utf-8"), str(path))
    names = [entry.get("algorithmName") if isinstance(entry, dict) else entry for entry in listed or []]
    if not names or not all(isinstance(name, str) and name.startswith(PREFIX) for name in names):
        raise SpecError(f"{path}: needs a list of entries whose algorithmName begins with {PREFIX!r}; got {names}")
    return listed


_check = click.option("--check", is_flag=True, help="Change nothing; exit with 1 where something would be changed.")


@click.group()
def _commands() -> None:
    """Make Katib know Tunesmith's strategies, or forget them."""


@_commands.command()
def entries() -> None:
    """Print the entries of all strategies, as manifests/base/cluster/algorithms.yaml holds them."""
    click.echo(yaml.dump(strategy_entries(), Dumper=_Plain, sort_keys=False, width=120), nl=False)


@_commands.command()
@click.option("--entries", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What `entries` printed.")
@click.option("--image", help="The suggestion image.")
@click.option("--image-of-job", "job", help="Take the image of this Job in the pod's namespace.")
@_check
def add(path: Path | None, image: str | None, job: str | None, check: bool) -> None:
    """Put the entries into Katib's configuration, in the namespace of the pod that this runs in."""
    if (image is None) == (job is None):
        raise click.UsageError("give either --image or --image-of-job")
    listed = _read_entries(path) if path else strategy_entries()
    server = ApiServer.of_this_pod()
    image = image or image_of_job(server, job or "")
    _edit([{"algorithmName": entry["algorithmName"], "image": image, **entry} for entry in listed], check, server)


@_commands.command()
@click.option(
    "--force", is_flag=True, help="Do so while experiments use them, which can then be neither continued nor deleted."
)
@_check
def remove(force: bool, check: bool) -> None:
    """Take Tunesmith's entries, and no others, out of Katib's configuration."""
    server = ApiServer.of_this_pod()
    using = [] if force or check else users(server)
    if using:
        more = f" and {len(using) - SHOWN} more" if len(using) > SHOWN else ""
        raise SpecError(
            f"{len(using)} experiments use Tunesmith's algorithms: {', '.join(using[:SHOWN])}{more}\n"
            "Without the algorithms Katib can neither continue nor delete them, nor their namespaces: delete them first"
        )
    _edit([], check, server)


class _Plain(yaml.SafeDumper):
    """Writes shared parts out instead of linking them."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return that nothing is linked."""
        return True


def main() -> None:
    """Run the command line; exit code 2 for what trying again cannot mend, 1 for what the cluster refuses."""
    try:
        _commands()
    except TunesmithError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(USER_MISTAKE if isinstance(error, SpecError) else NOT_DONE)


if __name__ == "__main__":
    main()
