"""Makes the file systems that images are built on, from Debian packages: there is no image registry here."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.box.commands import run, say
from tests.cluster.box.places import HERE, ROOTS

SUITE = "bookworm"
BASE = ROOTS / "base"
MARIADB = ROOTS / "mariadb"


def make_base() -> Path:
    """Return the folder of a minimal Debian with Python 3.11, venv and certificates; made once, in about 90 seconds."""
    if not BASE.exists():
        say("making the images' base with debootstrap")
        with _whole(BASE) as partial:
            run(["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", SUITE, partial])
            _clean(partial)
    return BASE


def make_mariadb() -> Path:
    """Return the folder of the base with MariaDB and an entry point that makes Katib's database."""
    if not MARIADB.exists():
        say("making the database's root")
        with _whole(MARIADB) as partial:
            run(["cp", "-a", f"{make_base()}/.", partial])
            _install_mariadb(partial)
            _clean(partial)
    return MARIADB


def _install_mariadb(root: Path) -> None:
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    run(["chroot", root, "apt-get", "update", "-qq"])
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "mariadb-server"]
    run(["chroot", root, *install], DEBIAN_FRONTEND="noninteractive")
    shutil.rmtree(root / "var/lib/mysql")
    (root / "var/lib/mysql").mkdir()
    shutil.copyfile(HERE / "config/mariadb.sh", root / "entrypoint.sh")
    (root / "entrypoint.sh").chmod(0o755)
    (root / "etc/mysql/conf.d/socket.cnf").write_text("[client]\nsocket=/tmp/mysql.sock\n")


def _clean(root: Path) -> None:
    """Delete what only the package manager needs and what belongs to this machine."""
    for pattern in ("var/lib/apt/lists/*", "var/cache/apt/*.bin", "var/cache/apt/archives/*.deb", "var/log/*", "tmp/*"):
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/hostname").write_text("")


@contextmanager
def _whole(root: Path) -> Iterator[Path]:
    """Yield a folder that becomes `root` when the block ends without an error."""
    partial = root.with_name(f"{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    partial.rename(root)
