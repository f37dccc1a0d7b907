"""Where an object store is and who asks it, as the environment tells."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunesmith.errors import StorageError

# The first is what AWS's own tools read; the second is a key of the Secret that Kubeflow Pipelines keeps for its store.
KEY = ("AWS_ACCESS_KEY_ID", "accesskey")
SECRET = ("AWS_SECRET_ACCESS_KEY", "secretkey")
TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105 (a variable's name)
ENDPOINT = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
# The Service of Kubeflow Pipelines' store since its version 2.16, and that of the MinIO that came with it before.
SERVICES = ("seaweedfs.kubeflow", "minio-service.kubeflow")
PORT = 9000


@dataclass(frozen=True)
class Access:
    """An endpoint and the keys to it.

    `endpoint`: '' is the store's own. `key`: '' leaves credentials to what the client's library finds (a profile, the
    role of a service account). `anonymous`: asks without credentials.
    """

    scheme: str
    endpoint: str = ""
    key: str = ""
    secret: str = ""
    token: str = ""
    anonymous: bool = False

    @classmethod
    def read(cls, scheme: str, environ: Mapping[str, str]) -> "Access":
        """Read the environment; raises StorageError for half a pair of keys and for an endpoint that is no address."""
        if scheme == "gs":
            return cls(scheme)
        key, secret = _first(environ, KEY), _first(environ, SECRET)
        if bool(key) != bool(secret):
            given, missing = (KEY, SECRET) if key else (SECRET, KEY)
            raise StorageError(f"{scheme}://: {given[0]} is set and {missing[0]} is not; both are needed")
        endpoint = _first(environ, ENDPOINT) or (_kubeflows_store() if scheme == "minio" else "")
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise StorageError(f"{scheme}://: AWS_ENDPOINT_URL is {endpoint!r}; needs an address such as http://{endpoint}")
        # A MinIO is nobody whom AWS's profiles and roles are for.
        return cls(scheme, endpoint, key, secret, environ.get(TOKEN, ""), anonymous=scheme == "minio" and not key)

    def as_anybody(self) -> "Access":
        """Return the access of anybody, to what is public."""
        return replace(self, key="", secret="", token="", anonymous=True)

    def settings(self) -> dict[str, Any]:
        """Return what fsspec's S3 takes."""
        told = {"endpoint_url": self.endpoint, "key": self.key, "secret": self.secret, "token": self.token if self.key else ""}
        return {name: value for name, value in told.items() if value} | {"anon": self.anonymous}


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def _kubeflows_store() -> str:
    """Return the address of Kubeflow Pipelines' own store: of its two Services, the first that this network knows."""
    return f"http://{next((name for name in SERVICES if _is_known(name)), SERVICES[0])}:{PORT}"


def _is_known(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, PORT))
    except OSError:
        return False
