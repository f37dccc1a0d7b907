"""The Kubernetes API with a pod's own account, by the standard library alone: the suggestion image has no client for it."""

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import ClusterError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CALL_SECONDS = 30.0
CONFLICT = 409

Object = dict[str, Any]


class ApiRefusal(ClusterError):
    """The API server's refusal; `status` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class ApiServer:
    """An API server, and the account and namespace in which it is spoken to."""

    url: str
    token: str
    namespace: str
    trust: ssl.SSLContext | None = None

    @classmethod
    def of_this_pod(cls, account: Path = ACCOUNT, environment: Mapping[str, str] = os.environ) -> "ApiServer":
        """Return the server as Kubernetes tells every pod; raises ClusterError outside of one, or where it has no account."""
        host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise ClusterError("this runs in a pod of a cluster only (KUBERNETES_SERVICE_HOST is not set); see docs/install.md")
        try:
            token, namespace = ((account / name).read_text(encoding="utf-8").strip() for name in ("token", "namespace"))
            trust = ssl.create_default_context(cafile=account / "ca.crt")
        except OSError as error:
            raise ClusterError(
                f"{account}: {error.strerror or error}; the pod needs a service account and automountServiceAccountToken: true"
            ) from None
        return cls(f"https://{f'[{host}]' if ':' in host else host}:{port}", token, namespace, trust)

    def get(self, path: str) -> Object:
        """Return an object; raises ApiRefusal."""
        return self._call("GET", path)

    def patch(self, path: str, change: Object) -> Object:
        """Merge `change` into an object; raises ApiRefusal, CONFLICT where its resourceVersion is another by now."""
        return self._call("PATCH", path, change)

    def _call(self, method: str, path: str, body: Object | None = None) -> Object:
        request = urllib.request.Request(  # noqa: S310 (the address is the cluster's own)
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/json",
                "Content-Type": "application/merge-patch+json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS, context=self.trust) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ApiRefusal(error.code, _message(error.read().decode(errors="replace"))) from None
        except OSError as error:
            raise ClusterError(f"{self.url} does not answer: {getattr(error, 'reason', error)}") from None


def _message(body: str) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:500]
