"""The container images: what the Containerfile promises, and what build.sh asks of buildah, podman or docker."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.test_house import locked
from tunesmith import __version__
from tunesmith.image import SUGGESTION_IMAGE

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "manifests" / "images"
CONTAINERFILE = (FOLDER / "Containerfile").read_text()
PYTHON_IMAGE = f"localhost/tunesmith-python:{__version__}"
# An engine that notes its arguments and the secrets' contents, one line a build.
FAKE_ENGINE = """\
#!/bin/bash
case $1 in
build) echo "$*" >> {log}; for word in "$@"; do case $word in *src=*) cat "${{word##*src=}}" >> {log}.secrets ;; esac; done ;;
images) [ -z "{listing}" ] || echo "{listing}" ;;
push) echo archive > "$(sed 's/docker-archive:\\([^:]*\\):.*/\\1/' <<< "${{@: -1}}")" ;;
esac
"""


def stage(name: str) -> str:
    """Return the instructions of the stage called `name`."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", CONTAINERFILE, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def build(*arguments: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run build.sh; with `path`, buildah is what lies in that folder."""
    variables = {**os.environ, **environment}
    if path:
        variables["PATH"] = f"{path}:{variables['PATH']}"
    return subprocess.run([FOLDER / "build.sh", *arguments], capture_output=True, text=True, check=False, env=variables)


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Return a folder with a buildah that only writes down what it is asked, in `asked` and `asked.secrets`."""
    script = tmp_path / "buildah"
    script.write_text(FAKE_ENGINE.format(log=tmp_path / "asked", listing="1.5 GB"))
    script.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("target", "lock"), [("cpu", "run"), ("gpu", "gpu"), ("suggestion", "suggestion")])
def test_each_image_is_its_lock_and_above_it_the_projects_code(target: str, lock: str):
    assert f"FROM runtime AS {target}-dependencies\n" in CONTAINERFILE
    assert f"FROM {target}-dependencies AS {target}\n" in CONTAINERFILE
    dependencies = stage(f"{target}-dependencies")
    assert f"requirements/{lock}.txt" in dependencies
    assert f"sh /opt/tunesmith/share/install.sh /opt/tunesmith/share/{lock}.txt\n" in dependencies
    assert not re.findall(r"^COPY .*src|^ARG", dependencies, flags=re.MULTILINE), "new code would install everything anew"
    assert [line for line in stage(target).splitlines() if line.startswith(("COPY", "RUN"))] == [
        "COPY --from=project /staged /"
    ]


@pytest.mark.parametrize("target", ["cpu", "gpu", "suggestion"])
def test_every_image_runs_as_a_numbered_user_that_is_not_root(target: str):
    assert re.findall(r"^USER (.*)$", stage(target), flags=re.MULTILINE) == ["65532:65532"]


def test_only_one_image_is_fetched_and_it_is_an_argument_with_a_version():
    assert re.findall(r"^ARG BASE=\S+:(.*)$", CONTAINERFILE, flags=re.MULTILINE) == ["3.11-slim-bookworm"]
    stages = re.findall(r"^FROM \S+ AS (\S+)$", CONTAINERFILE, flags=re.MULTILINE)
    assert {name for name in re.findall(r"^FROM (\S+)", CONTAINERFILE, flags=re.MULTILINE) if name not in stages} == {"${BASE}"}
    assert "latest" not in CONTAINERFILE


def test_nothing_is_installed_but_what_the_locks_hash():
    assert re.findall(r"pip\b.* (?:install|wheel) (?:(?!--no-index).)*$", stage("project"), flags=re.MULTILINE) == []
    scripts = (FOLDER / "tools.sh").read_text() + (FOLDER / "install.sh").read_text()
    installs = re.findall(r"^\S+pip .*(?:install|wheel) .*$", scripts, flags=re.MULTILINE)
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert all("--no-build-isolation" in line for line in installs if "pip wheel" in line)


def test_the_suggestion_image_holds_what_was_tested_without_tensorflow_and_kfp():
    suggestion, run = locked("suggestion"), locked("run")
    assert {name: run.get(name) for name in suggestion} == suggestion
    assert not {"keras", "kfp", "kubernetes", "scikit-learn", "tensorflow", "tensorflow-cpu"} & set(suggestion)


def test_the_gpu_image_differs_from_the_other_by_tensorflow_and_its_cuda_alone():
    gpu, run = locked("gpu"), locked("run")
    assert gpu.pop("tensorflow") == run.pop("tensorflow-cpu")
    assert {name for name in gpu if name not in run} == {name for name in gpu if name.startswith("nvidia-")} != set()
    assert {name: gpu.get(name) for name in run} == run


def test_without_a_name_the_images_of_steps_and_suggestions_are_built(engine: Path):
    result = build(path=engine)
    assert result.returncode == 0, result.stderr
    asked = (engine / "asked").read_text().splitlines()
    assert [re.findall(r"--target (\S+) --tag (\S+)", line) for line in asked] == [
        [("cpu", PYTHON_IMAGE)],
        [("suggestion", SUGGESTION_IMAGE)],
    ]
    assert re.search(rf"^{re.escape(SUGGESTION_IMAGE)} +1500 +0$", result.stdout, flags=re.MULTILINE)


def test_other_images_another_base_and_another_prefix_can_be_asked_for(engine: Path):
    assert build("gpu", "--base", "my/python:3.11", "--prefix", "mirror.example/team", path=engine).returncode == 0
    asked = (engine / "asked").read_text()
    assert f"--target gpu --tag mirror.example/team/tunesmith-python:{__version__}-gpu " in asked
    assert "--build-arg BASE=my/python:3.11 " in asked
    assert asked.count("\n") == 1


def test_the_archives_are_named_after_the_images(engine: Path):
    output = engine / "images"
    result = build("cpu", "gpu", "suggestion", "--output", str(output), path=engine)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in output.iterdir()) == [
        "tunesmith-python-gpu.tar",
        "tunesmith-python.tar",
        "tunesmith-suggestion.tar",
    ]


def test_settings_of_pip_reach_the_build_as_a_secret_and_no_argument(engine: Path):
    certificates = engine / "own.crt"
    certificates.write_text("our own authority\n")
    build("cpu", path=engine, PIP_INDEX_URL="https://name:word@mirror.example/simple", PIP_CERT=str(certificates))
    assert "mirror.example" not in (engine / "asked").read_text()
    secrets = (engine / "asked.secrets").read_text()
    assert "[global]\n" in secrets
    assert "index-url=https://name:word@mirror.example/simple\n" in secrets
    assert "our own authority" in secrets
    assert "cert=" not in secrets


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cuda"], "cuda is neither an image (cpu, gpu, suggestion) nor an option (--base, --prefix, --output)"),
        (["cpu", "--output"], "--output wants a value"),
    ],
)
def test_a_wrong_argument_is_explained(arguments: list[str], words: str):
    result = build(*arguments)
    assert (result.returncode, result.stderr) == (2, f"error: {words}\n")


def test_a_machine_without_an_engine_is_told_what_to_install(tmp_path: Path):
    for name in ("bash", "dirname", "sed"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    result = subprocess.run([FOLDER / "build.sh"], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
    assert result.returncode == 2
    assert "none of buildah, podman and docker is here; on Debian: apt-get install buildah" in result.stderr
