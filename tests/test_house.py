"""The order of the house: lock files, the checkout's own words, and the commands that people are told to use."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ("bench", "build", "dev", "gpu", "run", "suggestion")


def locked(name: str) -> dict[str, str]:
    """Return the versions that a lock file holds, by package."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE))


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    paths = (ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_carries_hashes(name: str):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    packages = re.split(r"^(?=\S)", text.replace("\\\n", " "), flags=re.MULTILINE)
    unhashed = [package.strip() for package in packages if package.strip() and "--hash=sha256:" not in package]
    assert unhashed == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_a_registry_or_a_path(name: str):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert re.findall(r"^.*(?:://|--(?:extra-)?index-url|--find-links|-c /).*$", text, flags=re.MULTILINE) == []


@pytest.mark.parametrize("name", ["dev", "bench"])
def test_a_larger_lock_only_adds_to_what_is_used_at_run_time(name: str):
    larger = locked(name)
    assert {package: larger.get(package) for package in locked("run")} == locked("run")


def test_the_locks_hold_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "gpu": [
            *project["dependencies"],
            *(line for name in ("train-gpu", "onnx", "kubeflow", "katib") for line in extras[name]),
        ],
        "suggestion": [*project["dependencies"], *extras["suggestion"]],
        "run": [*project["dependencies"], *(line for name in ("train", "onnx", "kubeflow", "katib") for line in extras[name])],
        "dev": extras["dev"],
        "bench": extras["bench"],
    }
    missing = [
        f"{name}.txt: {requirement}; run `make lock`"
        for name, lines in wanted.items()
        for requirement in map(Requirement, lines)
        if not requirement.specifier.contains(locked(name).get(requirement.name, "0"))
    ]
    assert missing == []


def test_no_tracked_file_names_a_path_of_one_machine():
    homes = re.compile(rb"(?<![\w.])/(?:home|root|Users)/\w|" + re.escape(str(ROOT).encode()) + rb"\b")
    found = [str(path.relative_to(ROOT)) for path in tracked_files() if homes.search(path.read_bytes())]
    assert found == []


def test_make_alone_explains_every_target():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text().replace("\\\n", ""), flags=re.MULTILINE)
    assert targets is not None
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make ([a-z-]+) +\S", shown, flags=re.MULTILINE) == targets[1].split()


def test_continuous_integration_runs_the_readmes_test_command():
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()
    assert "make test" in (ROOT / "README.md").read_text()
