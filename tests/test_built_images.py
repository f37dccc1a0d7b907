"""Images as `make images` built them, run as a restricted pod would run them; without them these tests are skipped."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.test_images import PYTHON_IMAGE, stage
from tunesmith.image import SUGGESTION_IMAGE

pytestmark = pytest.mark.slow

# No rights, no network, nothing to write to but /tmp; and low limits, since not every root may raise them, as podman would.
RIGHTS = ["--read-only", "--tmpfs=/tmp:mode=1777", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
LIMITS = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]


def run_in(image: str, *command: str) -> subprocess.CompletedProcess[str]:
    engine = shutil.which("podman") or shutil.which("docker")
    if engine is None or subprocess.run([engine, "image", "inspect", image], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"{image} is not here; `make images` builds it, podman or docker runs it")
    podman = Path(engine).name == "podman"
    runtime = ["--runtime", "runc"] if podman and shutil.which("runc") else []
    # podman would make more than /tmp writable.
    writable = ["--read-only-tmpfs=false"] if podman else []
    command = (engine, *runtime, "run", "--rm", *RIGHTS, *LIMITS, *writable, image, *command)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def printed_by(image: str, *command: str) -> str:
    result = run_in(image, *command)
    assert result.returncode == 0, result.stderr
    return result.stdout


built = pytest.mark.parametrize("image", [PYTHON_IMAGE, SUGGESTION_IMAGE])


@built
def test_an_image_runs_as_nobody_on_a_root_that_cannot_be_written(image: str):
    assert printed_by(image, "sh", "-c", 'id -u; touch "$HOME/file" && ls "$HOME"') == "65532\nfile\n"
    assert "Read-only file system" in run_in(image, "touch", "/opt/tunesmith/file").stderr


@built
def test_an_image_holds_nothing_to_install_or_compile_with_and_no_settings_of_its_builder(image: str):
    tools = "for tool in pip pip3 gcc cc make git; do command -v $tool; done"
    traces = "ls -d /build/* /project /wheels /etc/pip.conf /run/secrets/*"
    assert run_in(image, "sh", "-c", f"{tools}; {traces}").stdout == ""
    modules = "import importlib.util as u; print([m for m in ('pip', 'ensurepip') if u.find_spec(m)])"
    assert printed_by(image, "python3", "-c", modules) == "[]\n"
    assert "PIP_" not in printed_by(image, "env")


@built
def test_an_image_compiles_nothing_when_it_starts(image: str):
    result = run_in(image, "python3", "-v", "-c", "import tunesmith.spec, tunesmith.strategies.tpe")
    assert "matches /opt/tunesmith" in result.stderr
    assert re.findall(r"^# code object from '/opt/.*\.py'$", result.stderr, flags=re.MULTILINE) == []


# It asks the image which strategies there are: it may have been built from an earlier checkout.
SERVES = """
import importlib, importlib.util
from tunesmith import registry
for name in registry.discover("tunesmith.strategies"):
    importlib.import_module(f"tunesmith.strategies.{name}")
import tunesmith.katib.suggestion, tunesmith.katib.config
print(name, [m for m in ("tensorflow", "keras", "kfp", "kubernetes", "sklearn") if importlib.util.find_spec(m)])
"""


def test_the_suggestion_image_serves_every_strategy_without_tensorflow():
    assert printed_by(SUGGESTION_IMAGE, "python3", "-c", SERVES) == "tpe []\n"


def test_the_suggestion_image_answers_katibs_probe_by_default():
    probe = (
        "import grpc; from grpc_health.v1 import health_pb2 as h, health_pb2_grpc as g;"
        "channel = grpc.insecure_channel('127.0.0.1:6789'); grpc.channel_ready_future(channel).result(60);"
        "print(g.HealthStub(channel).Check(h.HealthCheckRequest(service='manager.v1beta1.Suggestion')).status)"
    )
    command = re.search(r"^CMD \[(.*)\]$", stage("suggestion"), flags=re.MULTILINE)
    assert command is not None
    server = command[1].replace(",", "").replace('"', "")
    assert printed_by(SUGGESTION_IMAGE, "sh", "-c", f'{server} & python3 -c "{probe}"') == "1\n"


def test_the_python_image_holds_all_that_steps_and_trials_import():
    ours = "tunesmith.components, tunesmith.pipelines, tunesmith.engines.katib"
    modules = f"{ours}, kfp, kfp.kubernetes, kubernetes, kubeflow_katib_api, grpc_health, onnxruntime, tf2onnx, s3fs"
    place = printed_by(PYTHON_IMAGE, "python3", "-c", f"import {modules}; print(tunesmith.__file__)")
    assert place.startswith("/opt/tunesmith/lib/")


def test_the_python_image_searches_trains_and_exports():
    search = """
    data: {uri: digits}
    space: {kind: layers, convs: [1, 1], dense: [1, 1]}
    objectives: [{metric: val_accuracy, goal: maximize}]
    evaluation: {epochs: 1}
    budget: {trials: 1, parallel: 1}
    """
    command = f"cat > search.yaml << 'END'\n{search}\nEND\ntunesmith search search.yaml --json --folder found && ls found"
    assert "report.html" in printed_by(PYTHON_IMAGE, "sh", "-c", command)
