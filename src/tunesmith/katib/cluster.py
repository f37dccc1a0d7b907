"""The Kubernetes API as the engine uses it: a handful of calls, their errors in the user's words, passing failures retried."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tunesmith.errors import ClusterError, SpecError
from tunesmith.katib.refusal import Refused, explain, text_of

KATIB = "/apis/kubeflow.org/v1beta1"
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
# An API server may be restarted under a running search.
PATIENCE_SECONDS = 180.0
PAUSE_SECONDS = 2.0
CALL_SECONDS = 30.0
# A person at a terminal waits for the first answer, whose address may be wrong.
GREETING_SECONDS = 10.0
PASSING = {429, 500, 502, 503, 504}
# Katib's webhook, of a maxTrialCount that is not.
TOO_LATE = "must be greater than status.trials count"

Object = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """One namespace of a cluster; `client` is kubernetes' ApiClient."""

    client: Any
    namespace: str
    patience: float = PATIENCE_SECONDS

    @classmethod
    def connect(cls, namespace: str | None = None) -> "Cluster":
        """Return the cluster this process runs in, else that of KUBECONFIG.

        Without `namespace`: the pod's own, or that of the kubeconfig's context. Raises SpecError where there is neither, and
        ClusterError where a kubeconfig's cluster does not answer.
        """
        import yaml
        from kubernetes import client, config

        settings: Any = client.Configuration()
        # Calls are repeated here, for longer than by the library and without its warnings.
        settings.retries = False
        in_pod = "KUBECONFIG" not in os.environ and "KUBERNETES_SERVICE_HOST" in os.environ
        try:
            if in_pod:
                config.load_incluster_config(settings)
                own = POD_NAMESPACE.read_text().strip()
            else:
                # The library reads the variable when it is imported, which may be too early.
                file = os.environ.get("KUBECONFIG") or None
                config.load_kube_config(file, client_configuration=settings)
                context = config.list_kube_config_contexts(file)[1]
                own = context["context"].get("namespace") or "default"
        except (config.ConfigException, OSError, yaml.YAMLError) as error:
            raise SpecError(f"no cluster: {error}; set KUBECONFIG to a file that `kubectl` works with") from None
        made = cls(client.ApiClient(settings), namespace or own)
        if not in_pod:
            replace(made, patience=GREETING_SECONDS).greet()
        return made

    def greet(self) -> None:
        """Raise ClusterError where no server answers; a refusal is an answer."""
        with suppress(Refused):
            self._call("GET", "/version")

    def create_experiment(self, experiment: Object) -> Object | None:
        """Create an Experiment; None where there is one of that name."""
        try:
            return self._call("POST", self._path("experiments"), body=experiment)
        except Refused as refused:
            if refused.status == 409:
                return None
            raise ClusterError(explain(refused, f"create the Experiment in namespace {self.namespace!r}")) from None

    def experiment(self, name: str) -> Object | None:
        """Return an Experiment, None where there is none."""
        return self._get(self._path("experiments", name), f"read the Experiment {name}")

    def experiments(self, selector: str) -> list[Object]:
        """Return the namespace's Experiments with a label."""
        return self._list(self._path("experiments"), "list Experiments", labelSelector=selector)

    def change_budget(self, name: str, trials: int, parallel: int) -> None:
        """Change how many trials an Experiment may run in all and at a time, unless Katib has started as many just now."""
        counts = {"maxTrialCount": trials, "maxFailedTrialCount": trials, "parallelTrialCount": parallel}
        try:
            self._call("PATCH", self._path("experiments", name), body={"spec": counts})
        except Refused as refused:
            if TOO_LATE not in refused.text:
                raise ClusterError(explain(refused, f"change the Experiment {name}")) from None

    def delete_experiment(self, name: str) -> None:
        """Delete an Experiment with all that it runs; one that is gone already is no error."""
        # In the foreground it would be seen for minutes after its pods are gone.
        body = {"propagationPolicy": "Background"}
        try:
            self._call("DELETE", self._path("experiments", name), body=body)
        except Refused as refused:
            if refused.status != 404:
                raise ClusterError(explain(refused, f"delete the Experiment {name}")) from None

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
        except Refused as refused:
            if refused.status == 404 and refused.has_details:
                return None
            raise ClusterError(explain(refused, doing)) from None

    def _list(self, path: str, doing: str, **query: str) -> list[Object]:
        return self._do("GET", path, doing, query=query)["items"]

    def _do(self, method: str, path: str, doing: str, **rest: Any) -> Object:
        try:
            return self._call(method, path, **rest)
        except Refused as refused:
            raise ClusterError(explain(refused, doing)) from None

    def _call(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Object | None = None) -> Object:
        """Make one call, for up to `patience` seconds where the server is away; raises Refused with the server's answer."""
        until = time.monotonic() + self.patience
        while True:
            try:
                return self._call_once(method, path, query or {}, body)
            except Refused as refused:
                if refused.status not in PASSING or refused.permanent or time.monotonic() >= until:
                    raise
            except OSError as error:
                if time.monotonic() >= until:
                    told = f"{self.client.configuration.host} does not answer: {error}"
                    raise ClusterError(f"{told}\nset KUBECONFIG to a file that `kubectl` works with") from None
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
            raise Refused(error.status or 0, text_of(error)) from None
        except (HTTPError, ValueError) as error:
            raise OSError(str(error)) from None
