"""What went wrong with an object store, in words: which URI, which endpoint, whose keys, and what helps."""

from dataclasses import dataclass

from tunesmith.storage._access import ENDPOINT, KEY, SECRET, Access

# Names of exceptions of botocore's and aiohttp's that say nothing of the request: the way to the store was cut off.
CUT_OFF = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "HTTPClientError"),
    *("IncompleteReadError", "ClientPayloadError", "ServerDisconnectedError", "ClientConnectorError", "FSTimeoutError"),
}
BUSY = {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "TooManyRequests", "429", "408"}
NOT_BUILT = 501


@dataclass(frozen=True)
class Trouble:
    """A request that failed: its URI, its bucket and how the store was asked."""

    uri: str
    bucket: str
    access: Access

    def explain(self, error: Exception, code: str) -> str:
        """Return what happened and what helps; `code` is the store's own word for it."""
        return f"{self.uri}: {self._cause(error, code)}"

    def _cause(self, error: Exception, code: str) -> str:
        if type(error).__name__ in CUT_OFF:
            return f"cannot reach {self._store} ({_text(error)}); {self._whose_endpoint()}"
        if code == "NoSuchBucket":
            return f"there is no bucket {self.bucket!r} at {self._store}; make it, or name another; {self._whose_endpoint()}"
        if code in ("NoSuchKey", "404"):
            return f"there is no such file or folder at {self._store}"
        if code == "InvalidAccessKeyId":
            return f"{self._store} does not know the access key {self.access.key[:4]}… ({KEY[0]})"
        if code == "SignatureDoesNotMatch":
            return f"{self._store} says that the secret key ({SECRET[0]}) is not that of the access key {self.access.key[:4]}…"
        if code in ("AccessDenied", "403") or isinstance(error, PermissionError):
            return self._denied(error)
        return f"{self._store} answers {_text(error)}{f' ({code})' if code else ''}; {self._whose_endpoint()}"

    def _denied(self, error: Exception) -> str:
        if self.access.scheme == "gs":
            return f"access is denied ({_text(error)}); GOOGLE_APPLICATION_CREDENTIALS names a file with credentials"
        if self.access.anonymous:
            return (
                f"access is denied at {self._store} to who has no credentials; set {KEY[0]} and {SECRET[0]}, "
                "for trials on a cluster by a Secret named in cluster.secrets"
            )
        whose = f"the access key {self.access.key[:4]}… ({KEY[0]})" if self.access.key else "the credentials found here"
        return f"access is denied at {self._store}; {whose} may not read, write or list this"

    @property
    def _store(self) -> str:
        return self.access.endpoint or ("Google Cloud Storage" if self.access.scheme == "gs" else "AWS")

    def _whose_endpoint(self) -> str:
        if self.access.scheme == "gs":
            return "see gcsfs' documentation"
        told = "is what minio:// means unless" if self.access.scheme == "minio" else "is AWS unless"
        return f"the endpoint {told} {ENDPOINT[1]} says otherwise"


def is_passing(error: Exception) -> bool:
    """Tell whether the same request may well succeed a little later."""
    response = _response(error)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 and status != NOT_BUILT:
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & CUT_OFF) or isinstance(error, ConnectionError | TimeoutError) or code_of(error) in BUSY


def code_of(error: Exception) -> str:
    """Return the store's word for what it refuses, '' where it did not come to that."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def _response(error: Exception) -> dict:
    """Return the store's answer, which fsspec hides behind an error of the system's."""
    for one in (error, error.__cause__, error.__context__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return response
    return {}


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".removeprefix("OSError: ")
