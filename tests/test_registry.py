"""Implementations are found by their file's name and made from checked settings."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import SpecError
from tunesmith.registry import build, configure, did_you_mean, discover, load


class Animal:
    """The base class of the package made for these tests."""


DOG = """
from dataclasses import dataclass
from test_registry import Animal
from tunesmith.errors import SpecError

@dataclass(frozen=True)
class Dog(Animal):
    legs: int = 4
    name: str = "Rex"

    def __post_init__(self):
        if self.legs < 0:
            raise SpecError(f"legs: got {self.legs}; needs a number from 0")
"""


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with a dog, a private module and a module with two animals."""
    package = tmp_path / "zoo"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "dog.py").write_text(DOG)
    (package / "_cage.py").write_text("raise RuntimeError('a private module is no entry')")
    (package / "pair.py").write_text(DOG + DOG.replace("Dog", "Cat"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "test_registry", sys.modules[__name__])
    yield "zoo"
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo"]:
        del sys.modules[name]


def test_modules_without_an_underscore_are_the_entries(zoo: str) -> None:
    assert discover(zoo) == ["dog", "pair"]


def test_an_entry_is_its_one_class(zoo: str) -> None:
    assert load(zoo, "dog", Animal).__name__ == "Dog"
    with pytest.raises(TypeError, match="must define exactly one Animal, not 2"):
        load(zoo, "pair", Animal)


def test_an_unknown_name_is_answered_with_the_known_ones(zoo: str) -> None:
    with pytest.raises(SpecError, match=r"animal\.kind: 'dgo' is unknown; allowed: dog, pair \(did you mean 'dog'\?\)"):
        load(zoo, "dgo", Animal, "animal.kind")


def test_settings_are_checked_against_the_fields(zoo: str) -> None:
    made: Any = build(zoo, "dog", Animal, {"legs": 3.0}, "animal")
    assert (made.legs, type(made.legs), made.name) == (3, int, "Rex")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"leg": 3}, "animal.leg: unknown key; allowed: legs, name (did you mean 'legs'?)"),
        ({"legs": "many"}, "animal.legs: got 'many': Input should be a valid integer"),
        ({"legs": 3.5}, "animal.legs: got 3.5: Input should be a valid integer"),
        ({"legs": True}, "animal.legs: got True: needs a number"),
        ({"legs": None}, "animal.legs: got None"),
        ({"name": 3}, "animal.name: got 3: Input should be a valid string"),
        ({"legs": -1}, "animal.legs: got -1; needs a number from 0"),
        ({"legs": "x", "name": 3}, "animal.name: got 3"),
    ],
)
def test_a_bad_setting_is_named_with_its_path(zoo: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build(zoo, "dog", Animal, settings, "animal")
    assert message in str(caught.value)


def test_what_is_left_out_takes_its_default_and_what_has_none_is_asked_for() -> None:
    @dataclass(frozen=True)
    class Settings:
        size: int
        tags: list[str] = field(default_factory=lambda: ["a"])
        ready: bool = False

    assert configure(Settings, {"size": 1, "ready": True}, "x") == Settings(1, ["a"], True)
    with pytest.raises(SpecError, match=r"^x\.size: is missing$"):
        configure(Settings, {}, "x")


def test_only_a_near_miss_is_suggested() -> None:
    assert did_you_mean("unifrom", ["uniform", "choice"]) == " (did you mean 'uniform'?)"
    assert did_you_mean("zzz", ["uniform", "choice"]) == ""
    assert did_you_mean(5, ["uniform"]) == ""
