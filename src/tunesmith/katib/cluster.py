"""The Kubernetes API as the engine uses it: a handful of calls, their errors in the user's words, passing failures retried."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import ClusterError, SpecError

KATIB = "/apis/kubeflow.org/v1beta1"
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
# An API server may be restarted under a running search.
PATIENCE_SECONDS = 180.0
PAUSE_SECONDS = 2.0
CALL_SECONDS = 30.0
PASSING = {429, 500, 502, 503, 504}

Object = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """One namespace of a cluster; `client` is kubernetes' ApiClient."""

    client: Any
    namespace: str
    patience: float = PATIENCE_SECONDS

    @classmethod
    def connect(cls, namespace: str | None = None) -> "Cluster":
        """Return the cluster this process runs in, else that of KUBECONFIG; raises SpecError where there is neither.

        Without `namespace`: the pod's own, or that of the kubeconfig's context.
        """
        from kubernetes import client, config

        settings = client.Configuration()
        try:
            if "KUBECONFIG" not in os.environ and "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(settings)
                own = POD_NAMESPACE.read_text().strip()
            else:
                # The library reads the variable when it is imported, which may be too early.
                file = os.environ.get("KUBECONFIG") or None
                config.load_kube_config(file, client_configuration=settings)
                context = config.list_kube_config_contexts(file)[1]
                own = context["context"].get("namespace") or "default"
        except (config.ConfigException, OSError) as error:
            raise SpecError(f"no cluster: {error}; set KUBECONFIG to a file that `kubectl` works with") from None
        return cls(client.ApiClient(settings), namespace or own)

    def create_experiment(self, experiment: Object) -> Object | None:
        """Create an Experiment; None where there is one of that name."""
        try:
            return self._call("POST", self._path("experiments"), body=experiment)
        except _Refused as refused:
            if refused.status == 409:
                return None
            raise ClusterError(_explain(refused, f"create the Experiment in namespace {self.namespace!r}")) from None

    def experiment(self, name: str) -> Object | None:
        """Return an Experiment, None where there is none."""
        return self._get(self._path("experiments", name), f"read the Experiment {name}")

    def experiments(self, selector: str) -> list[Object]:
        """Return the namespace's Experiments with a label."""
        return self._list(self._path("experiments"), "list Experiments", labelSelector=selector)

    def change_budget(self, name: str, trials: int, parallel: int) -> None:
        """Change how many trials an Experiment may run in all and at a time."""
        counts = {"maxTrialCount": trials, "maxFailedTrialCount": trials, "parallelTrialCount": parallel}
        self._do("PATCH", self._path("experiments", name), f"change the Experiment {name}", body={"spec": counts})

    def delete_experiment(self, name: str) -> None:
        """Delete an Experiment with all that it runs; one that is gone already is no error."""
        # In the foreground it would be seen for minutes after its pods are gone.
        body = {"propagationPolicy": "Background"}
        try:
            self._call("DELETE", self._path("experiments", name), body=body)
        except _Refused as refused:
            if refused.status != 404:
                raise ClusterError(_explain(refused, f"delete the Experiment {name}")) from None

    def trial(self, name: str) -> Object:
        """Return a Trial."""
        return self._do("GET", self._path("trials", name), f"read the Trial {name}")

    def suggestion(self, name: str) -> Object | None:
        """Return the Suggestion of an Experiment, None where there is none."""
        return self._get(self._path("suggestions", name), f"read the Suggestion {name}")

    def pod(self, name: str) -> Object | None:
        """Return a pod, None where there is none."""
        return self._get(f"/api/v1/namespaces/{self.namespace}/pods/{name}", f"read the pod {name}")

    def pods(self, selector: str, unfinished: bool = False) -> list[Object]:
        """Return the namespace's pods with a label; of a long search only the `unfinished` ones are few."""
        fields = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"} if unfinished else {}
        return self._list(f"/api/v1/namespaces/{self.namespace}/pods", "list pods", labelSelector=selector, **fields)

    def events(self) -> list[Object]:
        """Return the namespace's recent warnings, oldest first."""
        found = self._list(f"/api/v1/namespaces/{self.namespace}/events", "list events", fieldSelector="type=Warning")
        return sorted(found, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")

    def _path(self, kind: str, name: str = "") -> str:
        return f"{KATIB}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def _get(self, path: str, doing: str) -> Object | None:
        try:
            return self._call("GET", path)
        except _Refused as refused:
            if refused.status == 404 and refused.has_details:
                return None
            raise ClusterError(_explain(refused, doing)) from None

    def _list(self, path: str, doing: str, **query: str) -> list[Object]:
        return self._do("GET", path, doing, query=query)["items"]

    def _do(self, method: str, path: str, doing: str, **rest: Any) -> Object:
        try:
            return self._call(method, path, **rest)
        except _Refused as refused:
            raise ClusterError(_explain(refused, doing)) from None

    def _call(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Object | None = None) -> Object:
        """Make one call, for up to `patience` seconds where the server is away; raises _Refused with the server's answer."""
        until = time.monotonic() + self.patience
        while True:
            try:
                return self._call_once(method, path, query or {}, body)
            except _Refused as refused:
                if refused.status not in PASSING or refused.permanent or time.monotonic() >= until:
                    raise
            except OSError as error:
                if time.monotonic() >= until:
                    raise ClusterError(f"the cluster does not answer: {error}") from None
            time.sleep(PAUSE_SECONDS)

    def _call_once(self, method: str, path: str, query: Mapping[str, str], body: Object | None) -> Object:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            answer = self.client.call_api(
                *(path, method),
                query_params=list(query.items()),
                header_params={"Accept": "application/json", "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=CALL_SECONDS,
            )
            return json.loads(answer.data)
        except ApiException as error:
            raise _Refused(error.status or 0, _text(error)) from None
        except (HTTPError, ValueError) as error:
            raise OSError(str(error)) from None


def _text(error: Any) -> str:
    """Return what the server says; its answer is bytes, since it is read as JSON here."""
    body = error.body or error.reason
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)


class _Refused(Exception):
    """The API server's refusal: the HTTP status and what it says."""

    def __init__(self, status: int, body: str) -> None:
        self.status = status
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        self.text: str = answer.get("message", body) if isinstance(answer, dict) else body
        self.has_details = isinstance(answer, dict) and bool((answer.get("details") or {}).get("name"))
        super().__init__(self.text)

    @property
    def permanent(self) -> bool:
        """Whether a webhook's refusal wears the status of a passing failure."""
        return "denied the request" in self.text


def _explain(refused: _Refused, doing: str) -> str:
    """Return what was refused, what the server says, and what helps."""
    text = refused.text
    if "namespace lacks label" in text or "the namespace lacks label" in text:
        hint = "label it: kubectl label namespace NAME katib.kubeflow.org/metrics-collector-injection=enabled"
    elif "unable to get Suggestion config" in text:
        hint = "Katib does not know Tunesmith's algorithms; apply an overlay: kubectl apply -k manifests/overlays/standalone"
    elif refused.status == 403:
        hint = "bind the ClusterRole tunesmith-runner of manifests/base to that account (docs/install.md)"
    elif refused.status == 404:
        hint = "is Katib installed? See docs/install.md"
    elif refused.status == 401:
        hint = "log in anew: the credentials of KUBECONFIG are not accepted"
    else:
        return f"cannot {doing}: {text}"
    return f"cannot {doing}: {text}\n{hint}"
