"""A user's own function as a space, and how its place is found."""

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.code import load_function
from tunesmith.errors import SpecError
from tunesmith.spaces._space import Chooser
from tunesmith.spaces.code import Code
from tunesmith.spec import build_space

SOURCE = """
def build(choose):
    depth = choose.int("depth", 1, 3)
    return [choose.choice(f"width_{i}", [8, 16]) for i in range(depth)]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(SOURCE)
    return tmp_path


def build(choose: Chooser) -> float:
    return choose.uniform("x", 0, 1)


class Builder:
    def __call__(self, choose: Chooser) -> float:
        return choose.uniform("x", 0, 1)


def test_what_the_function_chooses_is_the_space(folder: Path) -> None:
    space = build_space({"kind": "code", "build": "model.py:build"}, folder)
    assert len(list(space.enumerate())) == 2 + 4 + 8
    assert space.realize({"depth": 2, "width_0": 16, "width_1": 8}) == [16, 8]


def test_a_function_itself_will_do() -> None:
    assert set(Code(build).sample(np.random.default_rng(0))) == {"x"}


@pytest.mark.parametrize("function", [build, functools.partial(build), Builder(), lambda choose: choose.int("x", 0, 1)])
def test_any_callable_can_be_written_down(function: Any) -> None:
    form = Code(function).to_json()
    assert form["kind"] == "code"
    assert len(form["sha256"]) == 16


def test_an_edited_file_has_another_hash(folder: Path) -> None:
    (folder / "other.py").write_text(SOURCE + "\n# edited\n")
    before = build_space({"kind": "code", "build": "model.py:build"}, folder).to_json()
    after = build_space({"kind": "code", "build": "other.py:build"}, folder).to_json()
    assert before["sha256"] != after["sha256"]
    assert build_space(before, folder).to_json() == before


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("model.py:biuld", "space.build: model.py has no function 'biuld'"),
        ("model.py", "space.build: got 'model.py'; needs file.py:function or package.module:function"),
        ("missing.py:build", "space.build: there is no file"),
        ("no_such_package.module:build", "space.build: cannot import 'no_such_package.module'"),
        ("broken.py:build", "broken.py:2: "),
        ("raising.py:build", "raising.py:2: NameError: name 'undefined' is not defined"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_named(folder: Path, place: str, message: str) -> None:
    (folder / "broken.py").write_text("x = 1\ndef build(:\n")
    (folder / "raising.py").write_text("x = 1\ny = undefined\n")
    for _ in range(2):
        with pytest.raises(SpecError) as caught:
            build_space({"kind": "code", "build": place}, folder)
        assert message.replace("model.py", str(folder / "model.py"), place.startswith("model.py:")) in str(caught.value)


def test_a_file_that_was_mended_is_loaded_anew(folder: Path) -> None:
    (folder / "raising.py").write_text("y = undefined\n")
    with pytest.raises(SpecError):
        load_function("raising.py:build", "build", folder)
    (folder / "raising.py").write_text(SOURCE)
    assert callable(load_function("raising.py:build", "build", folder))


def test_a_users_module_has_one_name_in_every_process(folder: Path) -> None:
    script = (
        "from pathlib import Path; from tunesmith.code import load_function;"
        f"print(load_function('model.py:build', 'build', Path({str(folder)!r})).__module__)"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(names) == 1
