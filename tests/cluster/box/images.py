"""Builds the cluster's images with buildah and brings image archives into containerd."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.box.builds import KATIB
from tests.cluster.box.commands import run, say, succeeds
from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import BIN, CONTAINERD_SOCKET, IMAGES, STATE
from tests.cluster.box.roots import SUITE, make_base, make_mariadb

BASE_IMAGE = f"localhost/debian-python:{SUITE}"
BASE_ARCHIVE = IMAGES / "base.tar"
PAUSE_IMAGE = "localhost/pause:3.10"
MARIADB_IMAGE = "localhost/mariadb:10.11"
MARIADB_ARCHIVE = IMAGES / "mariadb.tar"
CTR = ("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io")
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """An image of one program of the cache: its name, the program and where it lies in the image."""

    name: str
    program: str
    path: str

    @property
    def archive(self) -> Path:
        return IMAGES / f"{self.name.removeprefix('localhost/').partition(':')[0]}.tar"


PROGRAM_IMAGES = (
    Image(PAUSE_IMAGE, "pause", "/pause"),
    Image(f"localhost/katib-controller:{KATIB}", "katib-controller", "/app/katib-controller"),
    Image(f"localhost/katib-db-manager:{KATIB}", "katib-db-manager", "/app/katib-db-manager"),
    Image(f"localhost/file-metrics-collector:{KATIB}", "file-metricscollector", "/app/file-metricscollector"),
    Image(f"localhost/suggestion-goptuna:{KATIB}", "goptuna-suggestion", "/opt/katib/goptuna-suggestion"),
    Image("localhost/minio:1", "minio", "/minio"),
)
"""All but the base and the database's."""


def build_base() -> None:
    """Make the image that others are built on, in buildah's storage and as base.tar."""
    if not succeeds(["buildah", "inspect", "--type", "image", BASE_IMAGE]):
        _commit(BASE_IMAGE, make_base(), "/", ["--env", _PATH, "--cmd", "python3"])
        BASE_ARCHIVE.unlink(missing_ok=True)
    if not BASE_ARCHIVE.exists():
        with _whole(BASE_ARCHIVE) as partial:
            run(["buildah", "push", "--quiet", BASE_IMAGE, f"docker-archive:{partial}:{BASE_IMAGE}"])


def build() -> None:
    """Make all archives that are missing or older than their program."""
    build_base()
    for image in PROGRAM_IMAGES:
        program = BIN / image.program
        if not image.archive.exists() or image.archive.stat().st_mtime < program.stat().st_mtime:
            folder, _, name = image.path.rpartition("/")
            config = ["--workingdir", folder or "/", "--entrypoint", f'["./{name}"]']
            with _whole(image.archive) as partial:
                _commit(f"docker-archive:{partial}:{image.name}", program, image.path, config)
    if not MARIADB_ARCHIVE.exists():
        with _whole(MARIADB_ARCHIVE) as partial:
            config = ["--env", _PATH, "--entrypoint", '["/entrypoint.sh"]']
            _commit(f"docker-archive:{partial}:{MARIADB_IMAGE}", make_mariadb(), "/", config)


def load(archives: Iterable[Path]) -> None:
    """Import those archives into the running containerd that it does not have yet in this version."""
    for archive in archives:
        if not archive.is_file():
            raise BoxError(f"there is no image archive {archive}: `python -m tests.cluster.box load FILE.tar ...`")
        stamp = STATE / "imported" / archive.name
        version = f"{archive.resolve()} {archive.stat().st_size} {archive.stat().st_mtime_ns}"
        if stamp.exists() and stamp.read_text() == version:
            continue
        run([*CTR, "images", "import", archive])
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(version)
        say(f"imported {archive.name}")
    _forget_replaced()


def _forget_replaced() -> None:
    """Delete images whose name has gone to a newer one: containerd would keep their gigabytes under their mere digests."""
    listed = [line.split() for line in run([*CTR, "images", "list"]).splitlines()[1:]]
    named = {digest for name, _, digest, *_ in listed if not name.startswith("sha256:")}
    replaced = [name for name, _, digest, *_ in listed if name.startswith("sha256:") and digest not in named]
    if replaced:
        run([*CTR, "images", "remove", "--sync", *replaced])


def _commit(target: str, source: Path, path: str, config: Sequence[str]) -> None:
    """Make an image of `source` at `path` and nothing else; `buildah run` is not needed, which not every root may do."""
    container = run(["buildah", "from", "scratch"]).strip()
    try:
        run(["buildah", "copy", "--quiet", container, source, path])
        run(["buildah", "config", *config, container])
        run(["buildah", "commit", "--quiet", container, target])
    finally:
        run(["buildah", "rm", container])


@contextmanager
def _whole(archive: Path) -> Iterator[Path]:
    """Yield a path whose file takes the archive's place when the block ends without an error."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(f".{archive.name}.partial")
    partial.unlink(missing_ok=True)  # buildah adds to an archive that is there
    yield partial
    partial.replace(archive)
    say(f"made {archive.name}, {archive.stat().st_size / 1e6:.0f} MB")
