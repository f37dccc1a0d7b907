"""Finds the backend, and says in the user's words what keeps it from answering."""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ClusterError, SpecError
from tunesmith.pipeline_run.catalog import kfp_silenced

if TYPE_CHECKING:
    from kfp import Client

HOSTS = ("KF_PIPELINES_ENDPOINT", "KFP_ENDPOINT")
NAMESPACE, TOKEN, CA = "KFP_NAMESPACE", "KFP_TOKEN", "KFP_CA_CERT"
# What a pod of the cluster finds.
OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
OWN_TOKEN = Path("/var/run/secrets/kubeflow/pipelines/token")
OWN_HOST = "http://ml-pipeline.kubeflow:8888"
CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
PASSING = (429, 500, 502, 503, 504)


class Unanswered(ClusterError):
    """A trouble that may pass: no answer, or one that promises to be another soon."""


@dataclass(frozen=True)
class Address:
    """Where a backend is and who asks; '' leaves a part to the environment, then to what a pod of the cluster finds."""

    host: str = ""
    namespace: str = ""
    token: str = ""
    ca_cert: str = ""

    def complete(self) -> "Address":
        """Return the address with its parts from the environment; raises SpecError where no host is named anywhere."""
        host = self.host or next((os.environ[name] for name in HOSTS if os.environ.get(name)), "")
        if not host and OWN_NAMESPACE.exists():
            host = OWN_HOST
        if not host:
            raise SpecError(f"host: is missing; give --host or set {HOSTS[0]}, such as http://localhost:8080 of a port-forward")
        if "://" not in host:
            host = f"https://{host}"
        token = self.token or os.environ.get(TOKEN, "") or (_own_token() if OWN_TOKEN.exists() else "")
        namespace = self.namespace or os.environ.get(NAMESPACE, "")
        return Address(host.rstrip("/"), namespace, token, self.ca_cert or os.environ.get(CA, ""))


@dataclass(frozen=True)
class Backend:
    """A backend that has answered; `namespace` is '' where it serves only one."""

    client: "Client"
    address: Address
    namespace: str

    @property
    def api_client(self) -> Any:
        """Return what sends the client's requests."""
        return self._generated("runs").api_client

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete a recurring run and not, as kfp's own method would, the runs that it has started."""
        self._generated("recurring_runs").recurring_run_service_delete_recurring_run(schedule_id, propagation_policy="ORPHAN")

    def _generated(self, name: str) -> Any:
        # kfp's client adds these when it is made, under names that no type checker sees.
        return getattr(self.client, name)

    def link(self, run_id: str) -> str:
        """Return the address of a run's page."""
        return f"{self.address.host}/#/runs/details/{run_id}"


def connect(address: Address) -> Backend:
    """Return the backend at an address; raises ClusterError where none answers there, SpecError for an address too short."""
    from kfp import Client

    address = address.complete()
    several = _greet(address)
    namespace = address.namespace if several else ""
    if several and not namespace:
        if not OWN_NAMESPACE.exists():
            raise SpecError(f"namespace: is missing; {address.host} serves several users, give --namespace or set {NAMESPACE}")
        namespace = OWN_NAMESPACE.read_text().strip()
    with quiet(), told(address.host, "be reached"):
        client = Client(
            host=address.host,
            namespace=namespace or "kubeflow",
            existing_token=address.token or None,
            ssl_ca_cert=address.ca_cert or None,
        )
    backend = Backend(client, address, namespace)
    _limit_time(backend.api_client.rest_client)
    if OWN_TOKEN.exists() and address.token == _own_token():
        # A pod's token lives for an hour or two, a run that is waited for perhaps longer; the file is renewed.
        backend.api_client.configuration.refresh_api_key_hook = _renew
    return backend


def _own_token() -> str:
    return OWN_TOKEN.read_text().strip()


def _renew(configuration: Any) -> None:
    configuration.api_key["authorization"] = _own_token()


def _greet(address: Address) -> bool:
    """Return whether the backend serves several namespaces; raises ClusterError where what answers is no backend."""
    import urllib3

    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    with told(address.host, "be reached"), urllib3.PoolManager(ca_certs=address.ca_cert or None) as pool:
        answer = pool.request(
            *("GET", f"{address.host}/apis/v2beta1/healthz"),
            headers=headers,
            timeout=CONNECT_SECONDS,
            retries=urllib3.Retry(2, redirect=False, raise_on_redirect=False),
        )
    if answer.status in (401, 403):
        raise ClusterError(_refused(address.host, answer.status, "be reached", ""))
    try:
        content = json.loads(answer.data)
        return bool(content.get("multi_user", False))
    except (ValueError, AttributeError):
        raise ClusterError(
            f"{address.host}: answers, but not as Kubeflow Pipelines does (status {answer.status}, {len(answer.data)} bytes); "
            "give the address of its API or of its web page, and a token where there is a login in between"
        ) from None


def _limit_time(rest: Any) -> None:
    """Let every request end some time: kfp's own have no limit."""
    request = rest.request

    def limited(*args: Any, **kwargs: Any) -> Any:
        kwargs["_request_timeout"] = kwargs.get("_request_timeout") or (CONNECT_SECONDS, READ_SECONDS)
        return request(*args, **kwargs)

    rest.request = limited


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what kfp's client prints and warns of from the user."""
    with kfp_silenced(), contextlib.redirect_stdout(io.StringIO()):
        yield


@contextlib.contextmanager
def told(host: str, doing: str) -> Iterator[None]:
    """Turn what kfp's client raises into a ClusterError that says what could not be done, and why."""
    import urllib3
    from kfp_server_api import ApiException

    try:
        yield
    except ApiException as error:
        kind = Unanswered if error.status in PASSING else ClusterError
        raise kind(_refused(host, error.status or 0, doing, _reason(error))) from None
    except urllib3.exceptions.HTTPError as error:
        told = f"{host}: cannot {doing}: no answer ({_cause(error)}); is the address right, the port forwarded?"
        raise Unanswered(told) from None


def _refused(host: str, status: int, doing: str, reason: str) -> str:
    said = f": {reason}" if reason else ""
    if status == 401:
        return f"{host}: cannot {doing}: wants to know who asks (401){said}; give --token or set {TOKEN}"
    if status == 403:
        return f"{host}: cannot {doing}: forbidden (403){said}; ask for the rights in that namespace"
    return f"{host}: cannot {doing} ({status}){said}"


def _reason(error: Any) -> str:
    """Return what the backend says is wrong, in one line."""
    try:
        content = json.loads(error.body)
        words = str(content.get("message") or content.get("error") or "")
    except (TypeError, ValueError, AttributeError):
        words = error.reason or ""
    return " ".join(words.split())[:600]


def _cause(error: BaseException) -> str:
    """Return the innermost reason of urllib3's, which wraps one in another."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    return str(reason or error).split(": ", 1)[-1] or type(error).__name__
