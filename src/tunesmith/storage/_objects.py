"""Object stores, by fsspec: S3 and those that speak like it, and Google's."""

import errno
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.errors import StorageError
from tunesmith.storage._access import Access
from tunesmith.storage._patience import SECONDS
from tunesmith.storage._place import Place
from tunesmith.storage._trouble import Trouble, code_of, is_passing

T = TypeVar("T")
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
PACKAGES = {"minio": "s3fs", "s3": "s3fs", "gs": "gcsfs"}
# Checksums that only newer stores know are left out where the interface does not demand them.
CLIENT = {
    "connect_timeout": 5,
    "read_timeout": 60,
    "retries": {"max_attempts": 2},
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


class Objects(Place):
    """The objects of a store; paths are bucket/key. Without credentials it is asked as anybody may."""

    def __init__(self, scheme: str, environ: Mapping[str, str]) -> None:
        self.scheme = scheme
        self.access = Access.read(scheme, environ)
        self._files = self._connect()

    def is_file(self, path: str) -> bool:
        try:
            return self._ask(path, lambda: self._files.info(path))["type"] == "file"
        except FileNotFoundError:
            return False

    def names(self, path: str) -> list[str]:
        try:
            found = self._ask(path, lambda: self._files.ls(path, detail=False))
        except FileNotFoundError:
            return []
        return sorted({name.rstrip("/").rpartition("/")[2] for name in found if name.rstrip("/") != path})

    def files(self, path: str) -> list[str]:
        found = self._ask(path, lambda: self._files.find(path))
        # Some tools mark a folder by an empty object whose name ends with a slash.
        below = [name for name in found if name.startswith(f"{path}/") and not name.endswith("/")]
        return sorted(name.removeprefix(f"{path}/") for name in below)

    def read(self, path: str) -> bytes:
        return self._must(path, lambda: self._files.cat_file(path))

    def write(self, path: str, content: bytes) -> None:
        self._must(path, lambda: self._files.pipe_file(path, content))

    def create(self, path: str, content: bytes) -> bool:
        try:
            self._must(path, lambda: self._files.pipe_file(path, content, mode="create"))
        except FileExistsError:
            return False
        return True

    def get(self, path: str, local: Path) -> None:
        self._must(path, lambda: self._files.get_file(path, str(local)))

    def put(self, local: Path, path: str) -> None:
        self._must(path, lambda: self._files.put_file(str(local), path))

    def remove(self, path: str) -> None:
        for name in [path, *(f"{path}/{name}" for name in self.files(path))]:
            # Google's store, unlike S3, minds that there is no object of the folder's own name.
            with suppress(FileNotFoundError):
                self._ask(name, lambda name=name: self._files.rm_file(name))

    def _connect(self) -> Any:
        try:
            import fsspec

            if self.scheme == "gs":
                return fsspec.filesystem("gs", use_listings_cache=False)
            return fsspec.filesystem("s3", use_listings_cache=False, config_kwargs=CLIENT, **self.access.settings())
        except ImportError:
            package = PACKAGES[self.scheme]
            raise StorageError(
                f"{self.scheme}://: needs the package {package}, which is not installed here; pip install {package}, "
                "and for trials on a cluster build an image that has it"
            ) from None

    def _must(self, path: str, call: Callable[[], T]) -> T:
        """Return what the store answers; a missing file is an error, too."""
        try:
            return self._ask(path, call)
        except FileNotFoundError as error:
            raise StorageError(self._trouble(path).explain(error, self._bucket_error(path) or "NoSuchKey")) from error

    def _ask(self, path: str, call: Callable[[], T]) -> T:
        """Return what the store answers, asking again where it was away; FileNotFoundError and FileExistsError pass."""
        until, pause = time.monotonic() + SECONDS.get(), FIRST_PAUSE
        while True:
            try:
                return call()
            except Exception as error:
                if self._without_credentials(error):
                    continue
                self._refuse(path, error, again=time.monotonic() + pause < until)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _without_credentials(self, error: Exception) -> bool:
        """Go on as anybody where there turned out to be no credentials; tells whether it does."""
        if type(error).__name__ != "NoCredentialsError" or self.access.anonymous:
            return False
        self.access = self.access.as_anybody()
        self._files = self._connect()
        return True

    def _refuse(self, path: str, error: Exception, again: bool) -> None:
        """Raise what the caller is to know of a failed call, unless it may be made `again` and that may help."""
        code = code_of(error)
        if code == "PreconditionFailed" or isinstance(error, FileExistsError):
            raise FileExistsError(path) from error
        if isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
            raise error
        # A full disk of this machine's is explained by whoever wrote to it.
        if isinstance(error, OSError) and error.errno in DISK and not code:
            raise error
        if is_passing(error) and again:
            return
        # An answer to a question without a body tells no more than its number.
        told = self._bucket_error(path) if code in ("403", "400") else code
        raise StorageError(self._trouble(path).explain(error, told or code)) from error

    def _bucket_error(self, path: str) -> str:
        """Return what the store has against listing the bucket: it explains that, unlike a question about a file."""
        if self.scheme == "gs":
            return ""
        try:
            self._files.call_s3("list_objects_v2", Bucket=path.partition("/")[0], MaxKeys=1)
        except Exception as error:
            return code_of(error)
        return ""

    def _trouble(self, path: str) -> Trouble:
        return Trouble(f"{self.scheme}://{path}", path.partition("/")[0], self.access)
