"""Builds the cluster's programs with Go, from pinned and verified modules."""

import hashlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.box.commands import run, say
from tests.cluster.box.errors import BoxError
from tests.cluster.box.places import BIN, CRDS, GO

KUBERNETES = "1.34.4"
KATIB = "0.19.0"
_MINOR = KUBERNETES.split(".")[1]
# Without these the apiserver takes itself for v0.0.0-master and clients refuse it.
_VERSION_FLAGS = " ".join(
    f"-X {package}.{name}={value}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for name, value in {
        "gitVersion": f"v{KUBERNETES}",
        "gitMajor": "1",
        "gitMinor": _MINOR,
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
        "buildDate": "1970-01-01T00:00:00Z",
    }.items()
)


@dataclass(frozen=True)
class Program:
    """A program to build: its name in the cache, the module's folder under tests/cluster/go, and the Go package."""

    name: str
    module: str
    package: str
    flags: str = ""


PROGRAMS = (
    *(
        Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", _VERSION_FLAGS)
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
    ),
    Program("coredns", "coredns", "."),
    Program("pause", "node", "./pause"),
    Program("fakegpu", "node", "./fakegpu"),
    Program("minio", "minio", "github.com/minio/minio"),
    Program("katib-controller", "katib", "github.com/kubeflow/katib/cmd/katib-controller/v1beta1"),
    Program("katib-db-manager", "katib", "github.com/kubeflow/katib/cmd/db-manager/v1beta1"),
    Program("file-metricscollector", "katib", "github.com/kubeflow/katib/cmd/metricscollector/v1beta1/file-metricscollector"),
    Program("goptuna-suggestion", "katib", "github.com/kubeflow/katib/cmd/suggestion/goptuna/v1beta1"),
)


def build() -> None:
    """Build every program whose sources or flags differ from those of the cached one; raises BoxError without Go."""
    stale = [program for program in PROGRAMS if not _is_fresh(program)]
    if stale:
        _require_go()
        say(f"building {len(stale)} programs with Go; all of them take about 15 minutes on two cores, once")
    for program in stale:
        _build(program)
    _fetch_crds()


def _build(program: Program) -> None:
    BIN.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    partial = BIN / f".{program.name}.partial"
    flags = ["-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {program.flags}"]
    run(["go", "build", *flags, "-o", partial, program.package], folder=GO / program.module, CGO_ENABLED="0")
    partial.replace(BIN / program.name)
    _stamp(program).write_text(_fingerprint(program))
    megabytes = (BIN / program.name).stat().st_size / 1e6
    say(f"built {program.name} in {time.monotonic() - began:.0f} s, {megabytes:.0f} MB")


def _is_fresh(program: Program) -> bool:
    stamp = _stamp(program)
    return (BIN / program.name).exists() and stamp.exists() and stamp.read_text() == _fingerprint(program)


def _fingerprint(program: Program) -> str:
    """A digest of all that decides on the program; times would not do, since a fresh clone's files are all new."""
    digest = hashlib.sha256(repr(program).encode())
    for path in sorted(path for path in (GO / program.module).rglob("*") if path.is_file()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _stamp(program: Program) -> Path:
    return BIN / f".{program.name}.built"


def _require_go() -> None:
    if shutil.which("go") is None:
        raise BoxError(
            "the cluster's programs are built with Go 1.25 or later, which is not on the path: install it from go.dev, or set "
            "KUBECONFIG to a cluster that has Katib and run `make test-cluster` alone"
        )


def _fetch_crds() -> None:
    """Copy Katib's resource definitions from its Go module, so that a later start needs no Go."""
    if len(list(CRDS.glob("*.yaml"))) == 3:
        return
    _require_go()
    module = run(["go", "list", "-m", "-f", "{{.Dir}}", "github.com/kubeflow/katib"], folder=GO / "katib").strip()
    CRDS.mkdir(parents=True, exist_ok=True)
    for kind in ("experiment", "suggestion", "trial"):
        shutil.copyfile(Path(module) / f"manifests/v1beta1/components/crd/{kind}.yaml", CRDS / f"{kind}.yaml")
